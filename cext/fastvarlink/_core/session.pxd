# cython: language_level=3str
"""Whose turn it is: the protocol's state on one connection, without any I/O."""

from fastvarlink._core.buffer cimport Buffer
from fastvarlink._core.control cimport Rights
from fastvarlink._core.framing cimport FrameReader, FrameWriter
from fastvarlink._core.message cimport Message


cdef enum SessionEvent:
    NEED_DATA  # nothing complete has arrived
    MESSAGE  # session.message holds the next call, or the next reply
    VIOLATION  # the peer broke the protocol: send what is queued, then close


cdef class Session:
    cdef FrameReader reader
    cdef FrameWriter writer
    cdef Message message
    cdef const char *fault  # why the last event was a VIOLATION
    cdef bint broken  # a violation has been found: nothing more is read
    cdef Rights received  # the descriptors that came with message; None if none did

    # What was wrong, as a sentence.
    cdef str complaint(self)


cdef class ServerSession(Session):
    cdef bint answering  # a call has been taken and its last reply has not been given
    cdef int flags  # of the call being answered
    cdef Rights outgoing  # descriptors that go with the next reply; None without any
    cdef bint holding  # the buffer is pinned: message's slices may still be looked at

    # The next call, once the previous one is answered.
    cdef SessionEvent next_call(self) except *
    # Lets the frame of the call go, after what is needed of it has been copied.
    cdef void let_frame_go(self) noexcept
    # Queues a reply, or drops it when the call is oneway. The call is over unless continues is set.
    cdef int reply(self, bytes parameters, bint continues) except -1
    cdef int error(self, bytes name, bytes parameters) except -1
    # True while the peer may send more calls: only so many, or the limit in bytes, may wait.
    cdef bint wants_more(self) except -1


cdef class ClientSession(Session):
    cdef Buffer outstanding  # the flags of each call that has not been answered, a byte each
    cdef readonly bint last  # the message just taken was the last one of its call

    # Queues a call, and the descriptors that go with it, if there are any.
    cdef int call(self, bytes name, bytes parameters, int flags, Rights outgoing=*) except -1
    # The next reply to the oldest outstanding call.
    cdef SessionEvent next_reply(self) except *
    # How many calls wait for a reply.
    cdef size_t waiting(self) noexcept
