# cython: language_level=3str
"""The types of an interface definition."""

from fastvarlink._core.reading cimport Reading
from fastvarlink._core.tree cimport Enum, EnumValue, Field, Struct


# A walk that knows types.
cdef class TypeReading(Reading):
    # Each of these begins at its first token and ends behind its last.
    cdef object body(self, int depth)
    cdef Struct fields(self, Py_ssize_t at, int depth)
    cdef Field field(self, int depth, bint *more)
    cdef Enum values(self, Py_ssize_t at)
    cdef EnumValue value(self, bint *more)
    cdef object type(self, int depth)
    cdef object plain_type(self)
    # Before a field or a value: counts it.
    cdef int begin_part(self) except -1
    # Behind a field or a value, which began when so many faults were known: takes the separator and returns
    # the remark of its line.
    cdef str separator(self, str which, Py_ssize_t known, bint *more)
