# cython: language_level=3str
"""Frames: messages with the NUL that ends each of them. Nothing else in the project knows of it."""

from libc.stdint cimport uint64_t

from fastvarlink._core.buffer cimport Buffer
from fastvarlink._core.control cimport Rights

cdef enum FrameStatus:
    FRAME_NONE  # no complete frame yet
    FRAME_READY
    FRAME_TOO_LARGE  # more bytes than the limit without an end


cdef struct Slice:
    const char *at  # NULL when absent
    size_t size


cdef class FrameReader:
    cdef Buffer buffer
    cdef size_t limit  # bytes of the largest frame, its NUL not counted
    cdef int most_ahead  # frames whose ends are remembered while nobody takes them
    # Positions are counted from the connection's first byte, so that nothing shifts when bytes go.
    cdef uint64_t taken  # bytes handed out so far
    cdef uint64_t scanned  # bytes looked at so far: none is looked at twice
    cdef uint64_t *ahead  # positions of the ends found beyond the first; NULL until needed
    cdef list attached  # positions of frames, and the Rights that came with each; None where there are none
    cdef int ahead_first
    cdef int ahead_count

    # The next frame without its NUL. The bytes stay valid until more is read into the buffer.
    cdef FrameStatus take(self, const char **frame, size_t *size) noexcept
    cdef bint find_end(self, size_t *length) noexcept
    # True between two frames: the next byte begins one.
    cdef bint at_start(self) noexcept
    # The position of the next byte to be stored.
    cdef uint64_t position(self) noexcept
    # Keeps descriptors for the frame that begins at a position.
    cdef int attach(self, Rights rights, uint64_t position) except -1
    # The descriptors of the frame that began at a position; None if it has none.
    cdef Rights detach(self, uint64_t position)
    # How many complete frames wait, at most most_ahead.
    cdef int count_ahead(self) except -1
    # Bytes of room to reserve for the next read, and bytes to read at most into what was reserved:
    # never more than the limit and one chunk is stored.
    cdef size_t room(self) noexcept
    cdef size_t most(self) noexcept
    # Drops everything that waits and gives its memory back.
    cdef void discard(self) noexcept


cdef class FrameWriter:
    cdef Buffer buffer
    cdef size_t limit  # bytes of the largest frame, its NUL not counted
    cdef list attached  # pairs: bytes in front of a frame, its Rights; None where there are none

    # Queues the frame that the pieces make up, and the descriptors that go with it, if any; on an error
    # nothing. MessageTooLarge over the limit.
    cdef int write(self, const Slice *pieces, int count, Rights rights) except -1
    # How many bytes may go at once, and what goes with the first of them; None if that is nothing.
    cdef size_t stretch(self) except? 0
    cdef Rights leading(self)
    # So many bytes have gone, with what leads them.
    cdef int passed(self, size_t size) except -1
    # Drops everything that is queued.
    cdef void discard(self) noexcept


# How many bytes at an address belong to the frame that the first of them is in: to its end, or all.
cdef size_t until_end(const char *at, size_t size) noexcept nogil
