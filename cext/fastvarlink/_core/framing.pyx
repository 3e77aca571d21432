# cython: language_level=3str
"""Frames: messages with the NUL that ends each of them. Nothing else in the project knows of it.

The reader remembers how far it looked, so a frame that arrives a byte at a time costs no more than one
that arrives whole (rule F6).
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_RawFree, PyMem_RawMalloc
from libc.stddef cimport size_t
from libc.stdint cimport uint64_t
from libc.string cimport memchr, memcpy

from fastvarlink._core.buffer cimport Buffer, stored, vacant
from fastvarlink._core.control cimport Rights
from fastvarlink.error import MessageTooLarge, ProtocolError

cdef extern from "check.h" nogil:
    void CHECK(bint what)

cdef enum:
    ROOM = 4096  # bytes of room a read asks for at least
    CHUNK = 1 << 20  # bytes a read takes at most


def frame_of(bytes message not None):
    """A message as it goes over the wire: with the NUL that ends it."""
    return message + b"\0"


cdef size_t until_end(const char *at, size_t size) noexcept nogil:
    cdef const char *nul = <const char *> memchr(at, 0, size)
    return size if nul == NULL else <size_t> (nul - at) + 1


cdef class FrameReader:
    """Splits what arrives into frames of at most limit bytes each."""

    def __cinit__(self, size_t limit, int most_ahead=128):
        self.buffer = Buffer()
        self.limit = limit
        self.most_ahead = most_ahead
        self.taken = self.scanned = 0
        self.ahead = NULL
        self.ahead_first = self.ahead_count = 0

    def __dealloc__(self):
        PyMem_RawFree(self.ahead)

    cdef FrameStatus take(self, const char **frame, size_t *size) noexcept:
        cdef Buffer buffer = self.buffer
        cdef size_t length
        if self.ahead_count:
            length = <size_t> (self.ahead[self.ahead_first] - self.taken)
            self.ahead_first += 1
            self.ahead_count -= 1
        elif not self.find_end(&length):
            return FRAME_TOO_LARGE if stored(buffer) > self.limit else FRAME_NONE
        if length > self.limit:
            return FRAME_TOO_LARGE
        frame[0] = buffer.data + buffer.start
        size[0] = length
        self.taken += length + 1
        buffer.consume(length + 1)
        return FRAME_READY

    cdef bint find_end(self, size_t *length) noexcept:
        cdef Buffer buffer = self.buffer
        cdef size_t seen = <size_t> (self.scanned - self.taken)
        cdef size_t kept = stored(buffer)
        cdef const char *base = buffer.data + buffer.start
        cdef const char *nul
        CHECK(self.taken <= self.scanned and seen <= kept)
        if kept == seen:
            return False
        nul = <const char *> memchr(base + seen, 0, kept - seen)
        if nul == NULL:
            self.scanned = self.taken + kept
            return False
        length[0] = nul - base
        self.scanned = self.taken + length[0] + 1
        return True

    cdef bint at_start(self) noexcept:
        cdef size_t kept = stored(self.buffer)
        return kept == 0 or self.buffer.data[self.buffer.end - 1] == 0

    cdef uint64_t position(self) noexcept:
        return self.taken + stored(self.buffer)

    cdef int attach(self, Rights rights, uint64_t position) except -1:
        if self.attached is None:
            self.attached = []
        self.attached.append((position, rights))
        return 0

    cdef Rights detach(self, uint64_t position):
        cdef Rights rights = None
        if self.attached is not None and self.attached and self.attached[0][0] == position:
            rights = self.attached.pop(0)[1]
        return rights

    cdef int count_ahead(self) except -1:
        cdef size_t length
        cdef int i
        if self.ahead == NULL:
            self.ahead = <uint64_t *> PyMem_RawMalloc(<size_t> self.most_ahead * sizeof(uint64_t))
            if self.ahead == NULL:
                raise MemoryError()
        if self.ahead_first:
            for i in range(self.ahead_count):
                self.ahead[i] = self.ahead[self.ahead_first + i]
            self.ahead_first = 0
        while self.ahead_count < self.most_ahead and self.find_end(&length):
            self.ahead[self.ahead_count] = self.taken + length
            self.ahead_count += 1
        return self.ahead_count

    cdef size_t room(self) noexcept:
        # Asking for as much as has arrived makes the reads of a large frame grow with it.
        return min(max(stored(self.buffer), <size_t> ROOM), <size_t> CHUNK)

    cdef size_t most(self) noexcept:
        return min(vacant(self.buffer), <size_t> CHUNK)

    def receive(self, bytes data not None):
        """Take bytes that have arrived, in pieces of any size."""
        self.buffer.append(PyBytes_AS_STRING(data), <size_t> PyBytes_GET_SIZE(data))

    def next_frame(self):
        """The next frame as bytes, without its NUL; None when more has to arrive first.

        ProtocolError for a frame over the limit.
        """
        cdef const char *frame
        cdef size_t size
        cdef FrameStatus status = self.take(&frame, &size)
        if status == FRAME_TOO_LARGE:
            raise ProtocolError(f"The peer sent a message that is larger than {self.limit} bytes.")
        if status == FRAME_NONE:
            return None
        return PyBytes_FromStringAndSize(frame, <Py_ssize_t> size)

    def rest(self):
        """What has arrived and has not been handed out; it is forgotten here."""
        cdef size_t size = stored(self.buffer)
        cdef bytes data = PyBytes_FromStringAndSize(
            self.buffer.data + self.buffer.start if size else NULL, <Py_ssize_t> size
        )
        self.discard()
        return data

    cdef void discard(self) noexcept:
        self.taken = self.scanned = self.taken + stored(self.buffer)
        self.buffer.consume(stored(self.buffer))
        self.buffer.discard()
        self.attached = None
        self.ahead_first = self.ahead_count = 0


cdef class FrameWriter:
    def __cinit__(self, size_t limit):
        self.buffer = Buffer()
        self.limit = limit

    cdef int write(self, const Slice *pieces, int count, Rights rights) except -1:
        cdef Buffer buffer = self.buffer
        cdef size_t size = 0
        cdef list pair
        cdef char *to
        cdef int i
        for i in range(count):
            size += pieces[i].size
        if size > self.limit:
            raise MessageTooLarge(
                f"A message of {size} bytes is over the limit of {self.limit} bytes. Send less at a "
                f"time, or raise max_message_size on both sides."
            )
        if rights is not None:
            # Made first: the collector may run other code then, which the address would not outlive.
            pair = [0, rights]
            if self.attached is None:
                self.attached = []
        to = buffer.reserve(size + 1)
        if rights is not None:
            pair[0] = stored(buffer)
            self.attached.append(pair)
        for i in range(count):
            memcpy(to, pieces[i].at, pieces[i].size)
            to += pieces[i].size
        to[0] = 0
        buffer.commit(size + 1)
        return 0

    cdef size_t stretch(self) except? 0:
        if not self.attached:
            return stored(self.buffer)
        if self.attached[0][0]:
            return self.attached[0][0]
        return self.attached[1][0] if len(self.attached) > 1 else stored(self.buffer)

    cdef Rights leading(self):
        cdef Rights rights = None
        if self.attached and self.attached[0][0] == 0:
            rights = self.attached[0][1]
        return rights

    cdef int passed(self, size_t size) except -1:
        self.buffer.consume(size)
        if self.attached and self.attached[0][0] == 0:
            # Ours are closed here; the peer has its own.
            del self.attached[0]
        if not self.attached:
            self.attached = None
            return 0
        for pair in self.attached:
            pair[0] -= size
        return 0

    cdef void discard(self) noexcept:
        self.buffer.consume(stored(self.buffer))
        self.attached = None
