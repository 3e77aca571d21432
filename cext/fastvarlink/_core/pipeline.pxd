# cython: language_level=3str
"""Many calls in flight on one connection."""

from libc.stdint cimport uint64_t

from fastvarlink._core.call cimport CallPlan
from fastvarlink._core.channel cimport Channel
from fastvarlink._core.deadline cimport Deadline
from fastvarlink._core.message cimport Message
from fastvarlink._core.remote cimport Carrier


cdef class PendingReply:
    cdef PipelineCarrier carrier  # None once the reply is there
    cdef CallPlan plan
    cdef bint namespaced
    cdef bint more
    cdef uint64_t end  # of a oneway call: the bytes of the pipeline up to its last; else 0
    cdef object outcome  # the result, or the list of them
    cdef object failure  # what is raised instead; None without

    cdef int take(self, Message message) except -1


cdef class PipelineCarrier(Carrier):
    cdef Channel channel
    cdef Deadline deadline  # of all its calls together
    cdef list pending  # what waits for replies, in the order of the calls, from head on
    cdef Py_ssize_t head
    cdef uint64_t queued  # bytes of all calls so far
    cdef bint fresh  # no call that waits for a reply has been written
    cdef object fault  # the class of what is raised for calls that got no reply; None while they may get one
    cdef str why

    cdef int enter(self) except -1
    cdef bint is_settled(self, PendingReply reply) noexcept
    cdef int settle(self, PendingReply reply) except -1
    # Writes and reads until a reply is there or, with None, until so few calls wait for theirs and so few
    # bytes are unwritten.
    cdef int advance(self, PendingReply wanted, Py_ssize_t waiting, size_t unwritten) except -1
    cdef int take_arrived(self) except -1
    cdef int stop(self, object fault, str why) except -1
    cdef object failure_of(self, CallPlan plan)
