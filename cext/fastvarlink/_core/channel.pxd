# cython: language_level=3str
"""The client's end of one connection."""

from libc.stdint cimport int64_t

from fastvarlink._core.call cimport CallPlan
from fastvarlink._core.control cimport Descriptors, Rights
from fastvarlink._core.deadline cimport Deadline
from fastvarlink._core.link cimport Link, LinkStatus
from fastvarlink._core.session cimport ClientSession


cdef class Channel:
    cdef object __weakref__
    cdef readonly object connection  # the socket; None once it has been handed over
    cdef object fileno  # its method, found once
    cdef readonly object limits
    cdef int64_t busy_poll  # microseconds; 0 for none
    cdef bint strict
    cdef unsigned long process  # that made the connection
    cdef Link link
    cdef readonly ClientSession session
    cdef public object reopen  # callable: a new connection, once this one was left; None if there is no way
    cdef bint left  # closed because a call or a stream was given up, or handed over
    cdef unsigned long owner  # the thread inside a call, 0 when there is none
    cdef bint streaming  # a stream of replies is being read
    cdef bint duplex  # reads also while the service takes nothing
    cdef Deadline deadline  # of what the owner waits for
    cdef int64_t unfinished  # when the reply that has begun must be there (rule F12); 0 without one
    cdef bint closed
    cdef str why_closed
    cdef object condition  # for threads that wait for their turn
    cdef int waiters

    cdef int connect(self, object connection) except -1
    cdef int connect_anew(self) except -1
    # Each closes the connection, if it is not: for good, or only until the next call connects anew.
    cdef int fail(self, str why) except -1
    cdef int give_up(self, str why) except -1
    cdef int shut(self, str why) except -1
    cdef int lose(self, LinkStatus status) except -1
    cdef int drop_descriptors(self) except -1
    # The socket, for what comes after an upgrade.
    cdef object hand_over(self)
    # The channel is this thread's from here to release().
    cdef int acquire(self, CallPlan plan, Deadline deadline) except -1
    cdef int acquire_stream(self, Deadline deadline) except -1
    cdef int await_turn(self, CallPlan plan, Deadline deadline) except -1
    cdef int release(self) except -1
    # Makes sure that a call can be sent. When it raises, none has been.
    cdef int prepare(self) except -1
    cdef int check_process(self) except -1
    cdef int check_open(self) except -1
    cdef int check_quiet(self) except -1
    # Queues a call and, if no reply is expected, writes it.
    cdef int send(self, CallPlan plan, bytes parameters, int flags, Descriptors descriptors) except -1
    cdef Rights expect_descriptors(self, Descriptors descriptors)
    # The result of the next reply.
    cdef object take(self, CallPlan plan, bint namespaced, Descriptors descriptors)
    # True if the next reply has arrived: session.message holds it.
    cdef bint arrived(self) except -1
    # Waits until it has.
    cdef int await_reply(self, CallPlan plan) except -1
    # Writes what is queued or, if wanted, reads once. Whatever goes wrong closes the connection.
    cdef int transfer(self, CallPlan plan, bint read) except -1
    cdef int64_t soonest(self) except -1
    cdef int run_out(self, CallPlan plan) except -1
