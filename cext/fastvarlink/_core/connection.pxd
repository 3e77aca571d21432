# cython: language_level=3str
"""The server's end of one connection: its link, its session, and when to do what."""

from libc.stdint cimport uint32_t

from fastvarlink._core.dispatch cimport Answerer
from fastvarlink._core.link cimport Link, LinkStatus
from fastvarlink._core.plan cimport Origin
from fastvarlink._core.reactor cimport Source
from fastvarlink._core.session cimport ServerSession


cdef class ServerConnection(Source):
    cdef Link link
    cdef ServerSession session
    cdef Answerer answerer
    cdef Origin origin
    cdef object closed_callback
    cdef bint plain  # the socket's descriptor may be used without the socket's own methods
    cdef bint busy  # a thread is inside run(); it alone answers calls
    cdef bint filling  # a thread is reading into the buffer
    cdef bint readable  # there may be something to read
    cdef bint blocked  # the socket takes no more for now
    cdef bint armed  # epoll watches for the socket to take more
    cdef bint ending  # the peer has said that it sends no more; it may still have to be read
    cdef bint ended  # the peer sends no more
    cdef bint gone  # the peer reads no more: replies are dropped
    cdef bint closing  # to be closed as soon as its thread lets it
    cdef bint closed

    cdef int run(self) except -1
    cdef int answer(self) except -1
    cdef bint run_stream(self) except -1
    cdef int read(self) except -1
    cdef bint send(self) except -1
    cdef int lost(self) except -1
    cdef int shut(self) except -1
    # Writes what is queued and, if wanted, reads once, waiting for both.
    cdef LinkStatus transfer(self, bint read) except *
    cdef int serve_waiting(self) except -1
