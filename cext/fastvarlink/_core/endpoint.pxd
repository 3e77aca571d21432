# cython: language_level=3str
"""The server's end of one socket under a reactor."""

from libc.stddef cimport size_t

from fastvarlink._core.context cimport Origin
from fastvarlink._core.dispatch cimport Answerer
from fastvarlink._core.link cimport Link, LinkStatus
from fastvarlink._core.reactor cimport Source
from fastvarlink._core.session cimport ServerSession
from fastvarlink._core.terms cimport Terms


cdef class Endpoint(Source):
    cdef Link link
    cdef ServerSession session
    cdef Answerer answerer
    cdef Origin origin
    cdef Terms terms
    cdef size_t held  # bytes that terms knows to be held here
    cdef unsigned long process  # that made it
    cdef bint filling  # a thread is reading into the buffer
    cdef bint readable  # there may be something to read
    cdef bint blocked  # the socket takes no more for now
    cdef bint armed  # epoll watches for the socket to take more
    cdef bint timed  # a read that waits, waits for a time only
    cdef bint ending  # the peer has said that it sends no more; it may still have to be read
    cdef bint ended  # the peer sends no more
    cdef bint gone  # the peer reads no more: replies are dropped
    cdef bint closing  # to be closed as soon as its thread lets it
    cdef bint closed

    # Reads what has arrived, without waiting.
    cdef int read(self) except -1
    # Waits for something to arrive and reads it, after limit_waiting(). LINK_BLOCKED when the time is over.
    cdef LinkStatus read_waiting(self) except *
    # False if the time cannot be limited.
    cdef bint limit_waiting(self) noexcept
    cdef bint set_patience(self, long microseconds) noexcept
    # What a read has come to.
    cdef int take_in(self, LinkStatus status) except -1
    # Writes what is queued. False if the peer has to read first; epoll then watches for it.
    cdef bint send(self) except -1
    # The peer reads no more.
    cdef int lost(self) except -1
    # Closes the socket and lets go of everything.
    cdef int shut(self) except -1
    # Nothing refers back to it any more, so that it goes at once with all that it holds.
    cdef int part(self) except -1
    # Tells what it holds. Blocks of the pool do not count.
    cdef int account(self) except -1
    # Leaves Varlink: its socket goes to whoever takes it over (rule C12).
    cdef int hand_over(self) except -1
