# cython: language_level=3str
"""One socket and the two buffers of its connection."""

from fastvarlink._core.framing cimport FrameReader, FrameWriter


cdef enum LinkStatus:
    LINK_OK  # some bytes were read, or all were written
    LINK_BLOCKED  # nothing can be read, or not all be written, right now
    LINK_END  # the peer will send no more
    LINK_LOST  # the connection is broken; link.error holds the errno


cdef class Link:
    cdef int fd
    cdef int error
    cdef FrameReader reader
    cdef FrameWriter writer
    cdef bint short_read  # the last read left nothing behind
    cdef short awaits  # what poll() must wait for before exchange() can go on

    # Reads what has arrived, without waiting. Releases the GIL when the read may be a large copy.
    cdef LinkStatus fill(self) except *
    # Writes what is queued as far as the socket takes it, without waiting.
    cdef LinkStatus flush(self) except *
    # Writes all that is queued and, if wanted, reads once, waiting for both. LINK_BLOCKED where the
    # descriptor is non-blocking: wait() then waits for what could not be done.
    cdef LinkStatus exchange(self, bint read) except *
    # For a connection on which nothing is expected: LINK_OK while nothing has come, LINK_BLOCKED if
    # something has, LINK_END or LINK_LOST.
    cdef LinkStatus probe(self) noexcept
    # Waits until exchange() can go on, up to timeout milliseconds, for ever if negative.
    # LINK_BLOCKED means that the time is over.
    cdef LinkStatus wait(self, int timeout) except *
