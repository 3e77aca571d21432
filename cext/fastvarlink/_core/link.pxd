# cython: language_level=3str
"""One socket and the two buffers of its connection."""

from libc.stdint cimport int64_t

from fastvarlink._core.control cimport Rights
from fastvarlink._core.framing cimport FrameReader, FrameWriter


cdef enum LinkStatus:
    LINK_OK  # some bytes were read, or all were written
    LINK_BLOCKED  # nothing can be read, or not all be written, right now
    LINK_END  # the peer will send no more
    LINK_ASTRAY  # descriptors came where they may not, or were cut off; they are closed
    LINK_LOST  # the connection is broken; link.error holds the errno


# What a link that reads with care pays attention to, as bits. Each read is then preceded by a look.
cdef enum Care:
    CARE_RIGHTS = 1  # descriptors that come with messages
    CARE_UPGRADES = 2  # nothing is read beyond a call that may be an upgrade
    CARE_FRAMES = 4  # nothing is read beyond the end of a frame


cdef class Link:
    cdef int care
    cdef Rights arrived  # descriptors that have been received with the bytes just read; None without any
    cdef int fd
    cdef int error
    cdef FrameReader reader
    cdef FrameWriter writer
    cdef bint short_read  # the last read left nothing behind
    cdef int64_t busy_poll  # microseconds for which wait() asks again and again before it sleeps; mostly 0
    cdef short awaits  # what poll() must wait for before exchange() can go on

    # Reads what has arrived, without waiting. Releases the GIL when the read may be a large copy.
    cdef LinkStatus fill(self) except *
    # As fill(), but waits, without the GIL, for as long as the socket's SO_RCVTIMEO says. Not with care.
    cdef LinkStatus fill_waiting(self) except *
    cdef LinkStatus receive(self, int flags) except *
    # Writes what is queued as far as the socket takes it, without waiting.
    cdef LinkStatus flush(self) except *
    # Writes all that is queued and, if wanted, reads once, waiting for both. LINK_BLOCKED where the
    # descriptor is non-blocking: wait() then waits for what could not be done. With care it is
    # exchange_at_once().
    cdef LinkStatus exchange(self, bint read) except *
    # Writes all that is queued or, if wanted, reads once: the one that can be done, without waiting.
    # LINK_BLOCKED when neither can; wait() then waits for either.
    cdef LinkStatus exchange_at_once(self, bint read) except *
    cdef LinkStatus fill_with_care(self) except *
    cdef size_t careful_size(self, const char *at, size_t size) noexcept
    cdef LinkStatus fill_rights(self, char *to, size_t size) except *
    cdef LinkStatus receive_rights(self, char *to, size_t size) except *
    cdef LinkStatus flush_attached(self) except *
    # For a connection on which nothing is expected: LINK_OK while nothing has come, LINK_BLOCKED if
    # something has, LINK_END or LINK_LOST.
    cdef LinkStatus probe(self) noexcept
    # Waits until an exchange can go on, up to a point in time of the monotonic clock, in microseconds, for
    # ever if that is 0. LINK_BLOCKED means that the time is over.
    cdef LinkStatus wait(self, int64_t due) except *
