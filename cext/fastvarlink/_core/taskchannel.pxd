# cython: language_level=3str
"""The client's end of one connection in an event loop, shared between tasks."""

from fastvarlink._core.call cimport CallPlan
from fastvarlink._core.control cimport Descriptors
from fastvarlink._core.link cimport Link, LinkStatus
from fastvarlink._core.session cimport ClientSession


# A call that has been sent and waits for a reply.
cdef class Outstanding:
    cdef bint more  # it gets a stream of replies, which stay in the session until they are asked for
    cdef bint over  # no reply will come any more
    cdef bint abandoned  # nobody waits for its reply: it is dropped when it comes
    cdef object failure  # what has gone wrong; None if nothing has
    cdef object arrived  # the future of the task that waits; None while none does
    cdef object reader  # the task that reads the stream

    # The session has taken its reply.
    cdef int answered(self, TaskChannel channel) except -1
    cdef int end(self) except -1
    cdef int fail(self, object failure) except -1
    # Wakes the task that waits. False if there is none, or it has been woken already.
    cdef bint wake(self) except -1
    # Raises, once, what has gone wrong.
    cdef int check(self) except -1
    # The future that the task has to wait for now.
    cdef object wait(self, object loop)


cdef class TaskChannel:
    cdef object __weakref__
    cdef readonly object connection  # the socket
    cdef readonly object loop
    cdef ClientSession session
    cdef Link link
    cdef unsigned long process  # that made the connection
    cdef object frame_timeout  # seconds; None without a limit
    cdef object clock  # runs while a reply has begun and is not finished (rule F12); None mostly
    cdef object waiting  # deque of Outstanding, in their order
    cdef Py_ssize_t live  # of those, how many are waited for
    cdef Py_ssize_t dropped  # and how many are not
    cdef bint reading  # the loop tells when something has come
    cdef bint tells_again  # and again while not all of it has been read
    cdef bint flushing  # the loop will come to write what is queued
    cdef readonly bint blocked  # the socket takes no more for now; the loop tells when it does
    cdef object writing  # list of Outstanding: oneway calls that are waited for until they are written
    cdef object writers  # futures of tasks that want to send a call once the socket takes it
    cdef bint leaving  # an upgrade has been asked for, so no calls are made behind it
    cdef bint retired  # no calls are made on it any more
    cdef bint closed
    cdef str why  # it takes no more calls; None while it does
    cdef readonly bint left  # it was closed because a call or a stream was given up

    # Whether a call can be sent right now.
    cdef bint is_ready(self) except -1
    cdef int check_open(self) except -1
    # Sends a call. Whoever awaits its reply has to wait for call.wait(), unless it is over already.
    cdef int send(self, Outstanding call, CallPlan plan, bytes parameters, int flags,
                  Descriptors descriptors) except -1
    # Nobody waits for the reply any more, or for a oneway call to be written.
    cdef int abandon(self, Outstanding call, str why) except -1
    # Takes the next reply for the stream, if it has come. Raises what has gone wrong.
    cdef bint take_for(self, Outstanding stream) except -1
    # The stream has taken its last reply.
    cdef int finish(self, Outstanding stream) except -1
    # The upgrade has been refused.
    cdef int stay(self) except -1
    cdef bint take(self) except -1
    cdef int deliver(self) except -1
    # Reads once. True if there may be more.
    cdef bint read(self) except -1
    cdef int flush(self) except -1
    cdef int write(self) except -1
    cdef int begin_reading(self) except -1
    cdef int stop_reading(self) except -1
    cdef int stop_writing(self) except -1
    cdef int wake_writers(self) except -1
    cdef int stop_clock(self) except -1
    cdef int end(self, LinkStatus status) except -1
    cdef int fail(self, object kind, str why) except -1
    cdef int settle(self) except -1
