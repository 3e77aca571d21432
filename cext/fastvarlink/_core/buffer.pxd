# cython: language_level=3str
"""Owned byte buffers: data is appended at the end and taken from the front."""


cdef class Buffer:
    cdef char *data  # NULL until the first byte is stored, and again after release()
    cdef size_t start  # first byte that has not been consumed
    cdef size_t end  # one past the last byte stored
    cdef size_t capacity
    cdef int pins  # views given out; while there is one, no byte moves

    # Room for at least size more bytes behind end; the address to write to. May move the data.
    cdef char *reserve(self, size_t size) except NULL
    # Copies size bytes behind end.
    cdef int append(self, const char *source, size_t size) except -1
    # Counts size bytes, written where reserve() said, as stored.
    cdef void commit(self, size_t size) noexcept nogil
    # Drops size bytes from the front.
    cdef void consume(self, size_t size) noexcept nogil
    # Gives the memory back when nothing is stored in it.
    cdef void release(self) noexcept
    # Gives the memory back, with what is stored in it.
    cdef void discard(self) noexcept


cdef inline size_t stored(Buffer buffer) noexcept nogil:
    return buffer.end - buffer.start


cdef inline size_t vacant(Buffer buffer) noexcept nogil:
    return buffer.capacity - buffer.end
