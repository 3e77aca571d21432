# cython: language_level=3str
"""Checkers made from IDL types."""

from fastvarlink._core.shape cimport EnumShape, StructShape
from fastvarlink._core.value cimport Fault


cdef enum Kind:
    BOOL
    INT
    FLOAT
    STRING
    OBJECT  # any JSON object
    ANY  # any JSON value but null
    ENUM
    ARRAY
    MAP
    SET  # [string](): a Python set here, an object of empty objects on the wire
    STRUCT


cdef enum Direction:
    CALL_IN  # parameters of a received call: everything must be right
    REPLY_IN  # a received reply: what is unknown or null is dropped, what is missing stays missing
    CALL_OUT  # parameters of a call to be sent: what is missing is the service's to judge
    REPLY_OUT  # a handler's result: nothing may be missing, what is not declared is dropped


cdef class Checker:
    cdef Kind kind
    cdef bint nullable
    cdef Checker element  # of ARRAY and MAP
    cdef frozenset values  # of ENUM
    cdef tuple names  # of STRUCT, in the order of declaration
    cdef tuple fields  # of STRUCT: their Checkers, in the same order

    # What the program has for the type, None where it has nothing of its own.
    cdef StructShape shape
    cdef EnumShape choice

    # The value as its receiver shall see it, or MISMATCH. Received values are changed in place;
    # of values to be sent, what must change is copied.
    cdef object receive(self, object value, Direction direction, bint namespaced, Fault fault)
    cdef object send(self, object value, Direction direction, Fault fault)
    # receive() for a STRUCT that stays a dict: the parameters of a call.
    cdef dict receive_members(
        self, dict value, Direction direction, bint namespaced, Fault fault
    )
    cdef dict send_members(self, object value, Direction direction, Fault fault)
    # The members that are declared and not null.
    cdef dict declared(self, dict given)
    cdef object receive_array(
        self, list value, Direction direction, bint namespaced, Fault fault
    )
    cdef object receive_map(self, dict value, Direction direction, bint namespaced, Fault fault)
    cdef object receive_set(self, dict value, Fault fault)
    cdef object check_elements(self, dict value, Fault fault)
    cdef object send_container(self, object value, Direction direction, Fault fault)
    cdef object send_array(self, object value, Direction direction, Fault fault)
    cdef object send_map(self, object value, Direction direction, Fault fault)
