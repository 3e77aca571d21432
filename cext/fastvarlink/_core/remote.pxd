# cython: language_level=3str
"""Methods of a service, and what carries their calls."""

from libc.stdint cimport int64_t

from fastvarlink._core.call cimport CallPlan
from fastvarlink._core.channel cimport Channel
from fastvarlink._core.control cimport Descriptors
from fastvarlink._core.deadline cimport Deadline
from fastvarlink._core.interception cimport Interception


# What carries calls: over one channel, over several, or many at once.
cdef class Carrier:
    cdef public Interception interception  # what stands around the calls; None mostly
    cdef int64_t span  # microseconds that a call may take which says nothing else; 0 without a limit

    # A channel for one call or one stream: nobody else uses it, and a call can be sent.
    cdef Channel lend(self, CallPlan plan, Deadline deadline)
    # Takes it back after that, in whatever state it is.
    cdef int give_back(self, Channel channel) except -1
    # Makes a call and returns what the program gets for it.
    cdef object carry(
        self, CallPlan plan, tuple arguments, dict keywords, bint namespaced, int flags,
        Descriptors descriptors, object timeout
    )
    # What the program gets for a call that an interceptor has answered.
    cdef object answered(self, CallPlan plan, object result, int flags)
    # The same, past the interceptors.
    cdef object perform(
        self, CallPlan plan, tuple arguments, dict keywords, bint namespaced, int flags,
        Descriptors descriptors, object timeout
    )
    cdef object upgrade(self, CallPlan plan, bytes parameters, bint namespaced, Deadline deadline)


cdef class DirectCarrier(Carrier):
    cdef Channel channel
