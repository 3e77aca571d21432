# cython: language_level=3str
"""The server's end of one connection, on a thread that waits for it."""

from libc.stdint cimport int64_t

from fastvarlink._core.context cimport Origin
from fastvarlink._core.dispatch cimport Answerer
from fastvarlink._core.link cimport Link, LinkStatus
from fastvarlink._core.session cimport ServerSession
from fastvarlink._core.terms cimport Terms


cdef class WaitingConnection:
    cdef Link link
    cdef ServerSession session
    cdef Answerer answerer
    cdef Origin origin
    cdef Terms terms
    cdef int64_t began  # when the message that is arriving did, in microseconds; 0 if none is
    cdef bint waiting
    cdef bint finishing
    cdef bint plain  # the socket's descriptor may be used without the socket's own methods

    # Writes what is queued and, if wanted, reads once, waiting for both. LINK_LOST when the time is over.
    cdef LinkStatus transfer(self, bint read) except *
    # The same by the socket's own methods.
    cdef LinkStatus transfer_by_methods(self, bint read, object limit) except *
    # Seconds that a read may take; None for any time.
    cdef object patience(self)
    cdef int hand_over(self) except -1
    cdef int serve_waiting(self) except -1
