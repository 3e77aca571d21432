# cython: language_level=3str
"""From a program's arguments to a call, and from a reply to its result."""

from fastvarlink._core.message cimport Message
from fastvarlink._core.schema cimport Checker


# What is known of a method before it is called.
cdef class CallPlan:
    cdef readonly str name  # qualified
    cdef bytes wire_name  # as JSON
    cdef Checker takes
    cdef Checker gives
    cdef bint typed
    cdef object encoder  # callable: parameters to JSON's own types; None for the usual ones
    cdef object error_of  # callable: an error reply and whether namespaced, to an exception

    # The arguments by the names of the parameters, without those that are None.
    cdef dict named(self, tuple arguments, dict keywords)
    # The bytes of the parameters' object, None when there are none.
    cdef bytes encode(self, tuple arguments, dict keywords)
    cdef bytes encode_named(self, dict parameters)
    cdef object decode(self, dict parameters, bint namespaced)
    # The result that a reply brings; raises what an error reply says.
    cdef object read(self, Message message, bint namespaced)
    # No more replies will be read by it, for this reason.
    cdef int lost(self, object failure) except -1
