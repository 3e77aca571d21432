# cython: language_level=3str
"""The program's own classes for structs and enums: their objects are made and taken apart here."""

from fastvarlink._core.value cimport Fault


# A class of structs, called with its attributes as keywords.
cdef class StructShape:
    cdef object cls
    cdef tuple names  # of the fields
    cdef tuple attributes  # their names in the class, in the same order
    cdef tuple absent  # what stands for a field that is not there: a value, a Factory, or REQUIRED

    # An object from checked members; or MISMATCH, and what is wrong in fault.
    cdef object make(self, dict members, Fault fault)
    # The members of an object, without those that are None.
    cdef dict take_apart(self, object value)


# An enum.Enum.
cdef class EnumShape:
    cdef object cls
    cdef dict members  # by their values on the wire

    # The value on the wire of a member; the value itself if it is none.
    cdef object value_of(self, object member)
