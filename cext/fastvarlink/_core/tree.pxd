# cython: language_level=3str
"""The syntax tree of an interface definition."""

cdef enum:
    MAX_DEPTH = 64  # types inside each other; protects the stack of whoever walks the tree

# What the fields mean is said in the .pyx. at and end are offsets in the text, -1 where there was none.


cdef class Array:
    cdef readonly object element
    cdef readonly Py_ssize_t at


cdef class Map:
    cdef readonly object element
    cdef readonly Py_ssize_t at


cdef class Nullable:
    cdef readonly object element
    cdef readonly Py_ssize_t at


cdef class Named:
    cdef readonly str name
    cdef readonly Py_ssize_t at


cdef class Field:
    cdef readonly str name
    cdef readonly object type
    cdef readonly str doc
    cdef readonly tuple comments
    cdef readonly str remark
    cdef readonly Py_ssize_t at


cdef class Struct:
    cdef readonly tuple fields
    cdef readonly tuple closing
    cdef readonly Py_ssize_t at


cdef class EnumValue:
    cdef readonly str name
    cdef readonly str doc
    cdef readonly tuple comments
    cdef readonly str remark
    cdef readonly Py_ssize_t at


cdef class Enum:
    cdef readonly tuple values
    cdef readonly tuple closing
    cdef readonly Py_ssize_t at


cdef class TypeDeclaration:
    cdef readonly str name
    cdef readonly object type
    cdef readonly str doc
    cdef readonly tuple comments
    cdef readonly str remark
    cdef readonly Py_ssize_t at
    cdef readonly Py_ssize_t end


cdef class Method:
    cdef readonly str name
    cdef readonly Struct input
    cdef readonly Struct output
    cdef readonly str doc
    cdef readonly tuple comments
    cdef readonly str remark
    cdef readonly Py_ssize_t at
    cdef readonly Py_ssize_t end


cdef class Error:
    cdef readonly str name
    cdef readonly Struct type
    cdef readonly str doc
    cdef readonly tuple comments
    cdef readonly str remark
    cdef readonly Py_ssize_t at
    cdef readonly Py_ssize_t end


cdef class Interface:
    cdef readonly str name
    cdef readonly str doc
    cdef readonly tuple members
    cdef readonly tuple comments
    cdef readonly str remark
    cdef readonly tuple closing
    cdef readonly Py_ssize_t at
