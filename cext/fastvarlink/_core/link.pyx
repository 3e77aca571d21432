# cython: language_level=3str
"""One socket and the two buffers of its connection.

fill() and flush() never wait: they pass MSG_DONTWAIT, whatever mode the descriptor is in, and so hold
the GIL for small transfers, where releasing it would cost as much as the call. exchange() and wait()
wait, and release it. EINTR never shows; a pending signal's Python handler runs first.
"""

from cpython.exc cimport PyErr_CheckSignals
from libc.errno cimport EAGAIN, EINTR, errno
from libc.stddef cimport size_t

import socket

from fastvarlink._core.buffer cimport Buffer, stored
from fastvarlink._core.framing cimport FrameReader, FrameWriter

cdef extern from "<sys/socket.h>" nogil:
    ssize_t recv(int fd, void *to, size_t size, int flags)
    ssize_t send(int fd, const void *what, size_t size, int flags)
    int MSG_DONTWAIT
    int MSG_NOSIGNAL
    int MSG_PEEK

cdef extern from "<poll.h>" nogil:
    struct pollfd:
        int fd
        short events
        short revents
    int poll(pollfd *fds, unsigned long count, int timeout)
    short POLLIN
    short POLLOUT

cdef enum:
    # Transfers that may be larger than this are made without the GIL: the copy takes longer than
    # another thread should wait.
    LARGE = 65536


def is_plain_socket(connection):
    """True for a socket whose descriptor carries its bytes as they are: not for TLS, say."""
    return isinstance(connection, socket.socket) and all(
        getattr(type(connection), name) is getattr(socket.socket, name)
        for name in ("recv", "recv_into", "send", "sendall")
    )


cdef class Link:
    def __init__(self, int fd, FrameReader reader not None, FrameWriter writer not None):
        self.fd = fd
        self.reader = reader
        self.writer = writer

    cdef LinkStatus fill(self) except *:
        cdef Buffer buffer = self.reader.buffer
        cdef char *to = buffer.reserve(self.reader.room())
        cdef size_t most = self.reader.most()
        cdef ssize_t got
        while True:
            if most < LARGE:
                got = recv(self.fd, to, most, MSG_DONTWAIT)
            else:
                buffer.pins += 1
                with nogil:
                    got = recv(self.fd, to, most, MSG_DONTWAIT)
                buffer.pins -= 1
            if got > 0:
                buffer.commit(<size_t> got)
                self.short_read = <size_t> got < most
                return LINK_OK
            if got == 0:
                return LINK_END
            if errno == EAGAIN:
                return LINK_BLOCKED
            if errno != EINTR:
                self.error = errno
                return LINK_LOST
            PyErr_CheckSignals()

    cdef LinkStatus flush(self) except *:
        cdef Buffer buffer = self.writer.buffer
        cdef size_t size
        cdef ssize_t sent
        while True:
            size = stored(buffer)
            if size == 0:
                return LINK_OK
            sent = send(self.fd, buffer.data + buffer.start, size, MSG_DONTWAIT | MSG_NOSIGNAL)
            if sent >= 0:
                buffer.consume(<size_t> sent)
            elif errno == EAGAIN:
                return LINK_BLOCKED
            elif errno != EINTR:
                self.error = errno
                return LINK_LOST
            else:
                PyErr_CheckSignals()

    cdef LinkStatus exchange(self, bint read) except *:
        cdef Buffer outgoing = self.writer.buffer
        cdef Buffer incoming = self.reader.buffer
        cdef char *to = NULL
        cdef size_t most = 0
        cdef size_t size
        cdef ssize_t sent
        cdef ssize_t got
        cdef int failure
        if read:
            to = incoming.reserve(self.reader.room())
            most = self.reader.most()
        while True:
            size = stored(outgoing)
            if size == 0 and not read:
                return LINK_OK
            sent = 0
            got = -1
            failure = 0
            outgoing.pins += 1
            incoming.pins += 1
            # One stretch without the GIL for both: a call and the wait for its reply.
            with nogil:
                if size:
                    sent = send(self.fd, outgoing.data + outgoing.start, size, MSG_NOSIGNAL)
                    if sent > 0:
                        outgoing.consume(<size_t> sent)
                if sent < 0:
                    failure = errno
                    self.awaits = POLLOUT
                elif read and <size_t> sent == size:
                    got = recv(self.fd, to, most, 0)
                    if got < 0:
                        failure = errno
                        self.awaits = POLLIN
            outgoing.pins -= 1
            incoming.pins -= 1
            outgoing.consume(0)
            if got > 0:
                incoming.commit(<size_t> got)
                return LINK_OK
            if got == 0:
                return LINK_END
            if failure == EAGAIN:
                return LINK_BLOCKED
            if failure == EINTR:
                PyErr_CheckSignals()
            elif failure:
                self.error = failure
                return LINK_LOST

    cdef LinkStatus probe(self) noexcept:
        cdef char byte
        cdef ssize_t got
        while True:
            got = recv(self.fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK)
            if got > 0:
                return LINK_BLOCKED
            if got == 0:
                return LINK_END
            if errno == EAGAIN:
                return LINK_OK
            if errno != EINTR:
                self.error = errno
                return LINK_LOST

    cdef LinkStatus wait(self, int timeout) except *:
        cdef pollfd ready
        cdef int count
        ready.fd = self.fd
        ready.events = self.awaits
        while True:
            ready.revents = 0
            with nogil:
                count = poll(&ready, 1, timeout)
            if count > 0:
                return LINK_OK
            if count == 0:
                return LINK_BLOCKED
            if errno != EINTR:
                self.error = errno
                return LINK_LOST
            # The time starts anew after a signal: late rather than early.
            PyErr_CheckSignals()
