# cython: language_level=3str
"""The syntax tree of an interface definition.

All nodes are immutable and compare by value: two texts have equal trees exactly when they say the same and
comment it alike. The tree keeps the order of the text, and every comment of it:

  doc       the documentation: the comment lines directly above a declaration, joined by line feeds, without
            the ``#`` and one blank after it. "" without any.
  remark    the comment behind a declaration on its line, "" without one.
  comments  the other comments above a declaration, one string for each block of lines. Comments inside of a
            declaration, at places where no other node can keep them, are among them.
  closing   the blocks of comments before a closing parenthesis, or at the end of the text.

``at`` is where the name (of a type: its first character) stands in the text that was read, ``end`` where a
member ends, both as offsets; -1 in a tree that was not read. They count for nothing in comparisons.
"""

cimport cython

# Types that hold one other are made with trashcan: a program may build a chain of any length, and the stack
# must bear its end.

import enum
from dataclasses import field


class Primitive(enum.Enum):
    """A type without parts. The value is its keyword."""

    BOOL = "bool"
    INT = "int"
    FLOAT = "float"
    STRING = "string"
    OBJECT = "object"
    ANY = "any"


@cython.final
@cython.trashcan(True)
@cython.dataclasses.dataclass(frozen=True)
cdef class Array:
    """``[]element``"""

    element: object
    at: cython.Py_ssize_t = field(default=-1, compare=False, repr=False)


@cython.final
@cython.trashcan(True)
@cython.dataclasses.dataclass(frozen=True)
cdef class Map:
    """``[string]element``. A set of strings is a map to a struct without fields."""

    element: object
    at: cython.Py_ssize_t = field(default=-1, compare=False, repr=False)


@cython.final
@cython.trashcan(True)
@cython.dataclasses.dataclass(frozen=True)
cdef class Nullable:
    """``?element``. The element is never itself a Nullable."""

    element: object
    at: cython.Py_ssize_t = field(default=-1, compare=False, repr=False)


@cython.final
@cython.dataclasses.dataclass(frozen=True)
cdef class Named:
    """A reference to a type declared in the same interface."""

    name: str
    at: cython.Py_ssize_t = field(default=-1, compare=False, repr=False)


@cython.final
@cython.dataclasses.dataclass(frozen=True)
cdef class Field:
    """One field of a struct: ``name: type``."""

    name: str
    type: object
    doc: str = ""
    comments: tuple = ()
    remark: str = ""
    at: cython.Py_ssize_t = field(default=-1, compare=False, repr=False)


@cython.final
@cython.dataclasses.dataclass(frozen=True)
cdef class Struct:
    """``(a: T, b: U)``; no two fields have one name."""

    fields: tuple
    closing: tuple = ()
    at: cython.Py_ssize_t = field(default=-1, compare=False, repr=False)


@cython.final
@cython.dataclasses.dataclass(frozen=True)
cdef class EnumValue:
    """One value of an enum."""

    name: str
    doc: str = ""
    comments: tuple = ()
    remark: str = ""
    at: cython.Py_ssize_t = field(default=-1, compare=False, repr=False)


@cython.final
@cython.dataclasses.dataclass(frozen=True)
cdef class Enum:
    """``(a, b)``: one value at least, all different."""

    values: tuple
    closing: tuple = ()
    at: cython.Py_ssize_t = field(default=-1, compare=False, repr=False)


@cython.final
@cython.dataclasses.dataclass(frozen=True)
cdef class TypeDeclaration:
    """``type Name (...)``

    The specification knows structs and enums here, and ``parse`` returns nothing else. The package
    ``varlink`` allows any type, so a tree made of its nodes may have one.
    """

    name: str
    type: object
    doc: str = ""
    comments: tuple = ()
    remark: str = ""
    at: cython.Py_ssize_t = field(default=-1, compare=False, repr=False)
    end: cython.Py_ssize_t = field(default=-1, compare=False, repr=False)


@cython.final
@cython.dataclasses.dataclass(frozen=True)
cdef class Method:
    """``method Name(...) -> (...)``"""

    name: str
    input: Struct
    output: Struct
    doc: str = ""
    comments: tuple = ()
    remark: str = ""
    at: cython.Py_ssize_t = field(default=-1, compare=False, repr=False)
    end: cython.Py_ssize_t = field(default=-1, compare=False, repr=False)


@cython.final
@cython.dataclasses.dataclass(frozen=True)
cdef class Error:
    """``error Name (...)``. ``type`` holds the error's parameters."""

    name: str
    type: Struct
    doc: str = ""
    comments: tuple = ()
    remark: str = ""
    at: cython.Py_ssize_t = field(default=-1, compare=False, repr=False)
    end: cython.Py_ssize_t = field(default=-1, compare=False, repr=False)


@cython.final
@cython.dataclasses.dataclass(frozen=True)
cdef class Interface:
    """A whole definition. ``members`` are in the order of the text, no two of one name."""

    name: str
    doc: str
    members: tuple
    comments: tuple = ()
    remark: str = ""
    closing: tuple = ()
    at: cython.Py_ssize_t = field(default=-1, compare=False, repr=False)
