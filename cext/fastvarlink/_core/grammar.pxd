# cython: language_level=3str
"""From the tokens of an interface definition to its syntax tree."""

from fastvarlink._core.structs cimport TypeReading
from fastvarlink._core.tree cimport Interface, Struct


# A walk over a whole definition.
cdef class Parser(TypeReading):
    # Each of these begins at its first token and ends behind its last.
    cdef Interface interface(self)
    cdef str interface_name(self)
    cdef object member(self)
    cdef Struct struct(self, str which)
