# cython: language_level=3str
"""Owned byte buffers: data is appended at the end and taken from the front.

A pin (a view given out, a read in progress) keeps every byte where it is: what would have to move
data is refused while one is held, so that a pointer cannot go stale behind its user's back.

An empty buffer holds no memory. Blocks of the usual size go round among the busy buffers through a small
pool, so that giving one back after each burst of messages costs next to nothing and ten thousand idle
connections hold none. The pool belongs to whoever holds the GIL.
"""

from cpython.mem cimport PyMem_RawFree, PyMem_RawMalloc, PyMem_RawRealloc
from libc.stddef cimport size_t
from libc.string cimport memcpy, memmove

cdef extern from "check.h" nogil:
    void CHECK(bint what)

cdef enum:
    BLOCK = 16384  # bytes of a pooled block: some two hundred small messages
    POOL = 16  # blocks kept
    # Bytes beyond what is asked for where a large frame is stored at once: its last few would double the
    # memory.
    TAIL = 64

cdef char *pool[POOL]
cdef int pooled = 0


cdef char *take_block() except NULL:
    global pooled
    cdef char *block
    if pooled:
        pooled -= 1
        return pool[pooled]
    block = <char *> PyMem_RawMalloc(BLOCK)
    if block == NULL:
        raise MemoryError()
    return block


cdef void give_block(char *block, size_t capacity) noexcept:
    global pooled
    if block != NULL and capacity == BLOCK and pooled < POOL:
        pool[pooled] = block
        pooled += 1
    else:
        PyMem_RawFree(block)


cdef class Buffer:
    def __cinit__(self):
        self.data = NULL
        self.start = self.end = self.capacity = 0
        self.pins = 0

    def __dealloc__(self):
        CHECK(self.pins == 0)
        give_block(self.data, self.capacity)

    cdef char *reserve(self, size_t size) except NULL:
        cdef size_t kept = self.end - self.start
        cdef size_t wanted
        cdef char *moved
        if self.data != NULL and self.capacity - self.end >= size:
            return self.data + self.end
        if self.pins:
            raise BufferError("The buffer is in use by a view and cannot be moved.")
        if self.data == NULL and size <= BLOCK:
            self.data = take_block()
            self.capacity = BLOCK
        elif self.start and self.capacity - kept >= size and kept <= self.capacity // 2:
            # Moving costs less than the growth it saves, as at most half is copied.
            memmove(self.data, self.data + self.start, kept)
        else:
            wanted = 2 * self.capacity
            if wanted < kept + size:
                wanted = kept + size + TAIL
            if self.start == 0 and self.capacity > BLOCK:
                moved = <char *> PyMem_RawRealloc(self.data, wanted)
                if moved == NULL:
                    raise MemoryError()
            else:
                moved = <char *> PyMem_RawMalloc(wanted)
                if moved == NULL:
                    raise MemoryError()
                if kept:
                    memcpy(moved, self.data + self.start, kept)
                give_block(self.data, self.capacity)
            self.data = moved
            self.capacity = wanted
        self.start = 0
        self.end = kept
        return self.data + kept

    cdef int append(self, const char *source, size_t size) except -1:
        memcpy(self.reserve(size), source, size)
        self.end += size
        return 0

    cdef void commit(self, size_t size) noexcept nogil:
        CHECK(size <= self.capacity - self.end)
        self.end += size

    cdef void consume(self, size_t size) noexcept nogil:
        CHECK(size <= self.end - self.start)
        self.start += size
        if self.start == self.end and self.pins == 0:
            self.start = self.end = 0

    cdef void release(self) noexcept:
        if self.start == self.end:
            self.discard()

    cdef void discard(self) noexcept:
        if self.pins:
            return
        give_block(self.data, self.capacity)
        self.data = NULL
        self.start = self.end = self.capacity = 0
