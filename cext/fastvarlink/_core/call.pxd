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

    cdef bytes encode(self, tuple arguments, dict keywords)
    cdef object decode(self, dict parameters, bint namespaced)
    # The result that a reply brings; raises what an error reply says.
    cdef object read(self, Message message, bint namespaced)
