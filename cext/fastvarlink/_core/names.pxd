# cython: language_level=3str
"""Names that are declared, and names that are used."""

from fastvarlink._core.tree cimport Interface, Struct


# One walk over the types of one interface.
cdef class NameWalk:
    cdef list found  # tuples of where a fault is, which it is, and the name
    cdef list references  # Named nodes
    cdef dict inside  # name of a type to the names of types of which each of its values holds one
    cdef int depth  # structs inside each other
    cdef list contained  # those of the type that is being walked over; None below a ?, [] or [string]

    cdef int interface(self, Interface interface) except -1
    cdef int type(self, object of) except -1
    cdef int struct(self, Struct struct) except -1
    cdef int check_references(self, dict declared) except -1
    cdef int check_containment(self, dict declared) except -1
