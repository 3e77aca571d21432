# cython: language_level=3str
"""The client's end of one connection."""

from libc.stdint cimport int64_t

from fastvarlink._core.call cimport CallPlan
from fastvarlink._core.control cimport Descriptors, Rights
from fastvarlink._core.link cimport Link, LinkStatus
from fastvarlink._core.session cimport ClientSession


cdef class Channel:
    cdef object __weakref__
    cdef readonly object connection  # the socket
    cdef readonly object limits
    cdef bint strict
    cdef unsigned long process  # that made the connection
    cdef Link link
    cdef readonly ClientSession session
    cdef public object reopen  # callable: a new connection, once a stream was left; None if there is no way
    cdef bint left  # closed because a stream was left before its end
    cdef unsigned long owner  # the thread inside a call, 0 when there is none
    cdef bint streaming  # a stream of replies is being read
    cdef bint closed
    cdef str why_closed
    cdef object condition  # for threads that wait for their turn
    cdef int waiters

    cdef int connect(self, object connection) except -1
    cdef int check_open(self) except -1
    cdef int check_quiet(self) except -1
    cdef int lose(self, LinkStatus status) except -1
    cdef int acquire(self) except -1
    cdef int acquire_stream(self) except -1
    cdef int release(self) except -1
    cdef int send(self, CallPlan plan, bytes parameters, int flags, Descriptors descriptors) except -1
    cdef int drop_descriptors(self) except -1
    cdef Rights expect_descriptors(self, Descriptors descriptors)
    cdef int transfer(self, bint read) except -1
    cdef int await_reply(self) except -1
    cdef int await_more(self, int64_t began) except -1
    cdef int fail(self, str why) except -1
    cdef object take(self, CallPlan plan, bint namespaced, Descriptors descriptors)
