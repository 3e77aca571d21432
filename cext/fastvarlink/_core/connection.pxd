# cython: language_level=3str
"""The server's end of one connection: its link, its session, and when to do what."""

from libc.stddef cimport size_t
from libc.stdint cimport uint32_t

from fastvarlink._core.context cimport Origin
from fastvarlink._core.dispatch cimport Answerer
from fastvarlink._core.link cimport Link, LinkStatus
from fastvarlink._core.reactor cimport Source
from fastvarlink._core.session cimport ServerSession
from fastvarlink._core.terms cimport Terms


cdef class ServerConnection(Source):
    cdef Link link
    cdef ServerSession session
    cdef Answerer answerer
    cdef Origin origin
    cdef Terms terms
    cdef size_t held  # bytes that terms knows to be held here
    cdef unsigned long process  # that made it
    cdef bint busy  # a thread is inside run(), or about to be; it alone answers calls
    cdef bint taken  # a call has been taken, and is yet to be prepared
    cdef bint prepared  # and is yet to be answered
    cdef bint elsewhere  # what comes next is for another thread, which has not begun
    cdef bint filling  # a thread is reading into the buffer
    cdef bint readable  # there may be something to read
    cdef bint blocked  # the socket takes no more for now
    cdef bint limited  # its countdown is that of the handler
    cdef bint armed  # epoll watches for the socket to take more
    cdef bint attended  # the thread inside run() may wait for input, since another leads
    cdef bint timed  # its socket has a limit for that
    cdef bint ending  # the peer has said that it sends no more; it may still have to be read
    cdef bint ended  # the peer sends no more
    cdef bint gone  # the peer reads no more: replies are dropped
    cdef bint closing  # to be closed as soon as its thread lets it
    cdef bint closed
    cdef bint finishing  # no calls are taken but those that have arrived
    cdef bint looked  # and it has been looked for them
    cdef bint patient  # finishing, but a call that is to come first, or has begun to come, is waited for
    cdef bint called  # a call has come

    cdef int run(self) except -1
    cdef int answer(self) except -1
    cdef int run_on(self) except -1
    cdef int part(self) except -1
    cdef int begin_limit(self) except -1
    cdef int end_limit(self) except -1
    cdef bint run_stream(self) except -1
    cdef int read(self) except -1
    cdef bint send(self) except -1
    cdef int lost(self) except -1
    cdef int shut(self) except -1
    cdef int rest(self) except -1
    # Waits on this thread for what comes next. False if it may not: the connection is to rest.
    cdef bint attend(self) except -1
    # Has it wait for a time only; nothing else ever waits in a read of this socket. False if that fails.
    cdef bint limit_waiting(self) noexcept
    # From here on it waits in epoll again.
    cdef int leave(self) except -1
    # What a read has come to.
    cdef int take_in(self, LinkStatus status) except -1
    cdef int account(self) except -1
    cdef int hand_over(self) except -1
