# cython: language_level=3str
"""Calls that are awaited, and streams of replies that are read by tasks."""

from fastvarlink._core.call cimport CallPlan
from fastvarlink._core.control cimport Descriptors
from fastvarlink._core.deadline cimport Deadline
from fastvarlink._core.taskchannel cimport Outstanding, TaskChannel


# How far a call has come.
cdef enum Progress:
    UNSENT  # it has not been awaited
    CONNECTING  # it waits until it can be sent
    SENT  # it waits for its reply or, oneway, until it is written
    DONE


# A call, and the coroutine that awaits its reply.
cdef class PendingCall(Outstanding):
    cdef object carrier  # has the channel, or gets a new one
    cdef TaskChannel channel  # that it has been sent on
    cdef CallPlan plan
    cdef bytes parameters
    cdef int flags
    cdef bint namespaced
    cdef object timeout  # seconds; None without a limit
    cdef Deadline deadline
    cdef Descriptors descriptors
    cdef Progress progress
    cdef object inner  # what is awaited while it is CONNECTING
    cdef object timer
    cdef object result

    # Goes on: what is to be waited for or, once it is DONE, what the call has come to.
    cdef object step(self, object thrown)
    cdef int send_now(self) except -1
    cdef int start_timer(self, object loop) except -1
    cdef object come_to(self, object value)
    cdef int cease(self) except -1


# The iterator of the replies to a call with more. The channel does not know it, so that it is noticed when
# nobody has it any more.
cdef class TaskStream:
    cdef Outstanding call
    cdef object carrier
    cdef TaskChannel channel  # None until the call has been sent
    cdef CallPlan plan
    cdef bytes parameters
    cdef bint namespaced
    cdef object timeout  # seconds for each reply; None without a limit
    cdef Descriptors descriptors
    cdef bint ended  # no more replies are given
    cdef bint busy  # a task is reading


# The coroutine that awaits one reply of a stream.
cdef class NextReply:
    cdef TaskStream stream
    cdef Deadline deadline
    cdef Progress progress
    cdef object inner
    cdef object timer

    # As of a call.
    cdef object step(self, object thrown)
    cdef int send_now(self) except -1
    cdef int start_timer(self, object loop) except -1
    cdef object take(self)
    cdef int cease(self) except -1
