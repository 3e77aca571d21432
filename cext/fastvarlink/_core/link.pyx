# cython: language_level=3str
"""One socket and the two buffers of its connection.

fill() and flush() never wait: they pass MSG_DONTWAIT, whatever mode the descriptor is in, and so hold
the GIL for small transfers, where releasing it would cost as much as the call. exchange() and wait()
wait, and release it. EINTR never shows; a pending signal's Python handler runs first.
"""

from cpython.exc cimport PyErr_CheckSignals
from libc.errno cimport EAGAIN, EINTR, errno
from libc.stddef cimport size_t
from libc.stdint cimport int64_t, uint64_t

import socket

from fastvarlink._core.buffer cimport Buffer, stored
from fastvarlink._core.control cimport (
    RIGHTS_MOST,
    Rights,
    control_peek,
    control_receive,
    control_send,
    rights_of,
)
from fastvarlink._core.countdown cimport now
from fastvarlink._core.framing cimport FrameReader, FrameWriter, until_end

cdef extern from "<string.h>" nogil:
    void *memmem(const void *where, size_t size, const void *what, size_t length)

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

cdef extern from "spin.h" nogil:
    struct spin:
        pass
    spin spin_from(int64_t time, int64_t end)
    bint spin_on(const spin *spin, int64_t time)

cdef enum:
    # Transfers that may be larger than this are made without the GIL: the copy takes longer than
    # another thread should wait.
    LARGE = 65536
    LONGEST = 0x7FFFFFFF  # milliseconds poll() can wait


def is_plain_socket(connection):
    """True for a socket whose descriptor carries its bytes as they are: not for TLS, say."""
    return isinstance(connection, socket.socket) and all(
        getattr(type(connection), name) is getattr(socket.socket, name)
        for name in ("recv", "recv_into", "send", "sendall")
    )


def why_ended(connection):
    """What the end of a connection is put down to, in a sentence; None where the connection does not know."""
    ask = getattr(connection, "why_ended", None)
    return None if ask is None else ask()


cdef extern from *:
    """
    /* Linux has it since 6.16, older headers have not. */
    #ifndef SO_PASSRIGHTS
    #define SO_PASSRIGHTS 83
    #endif
    """
    int SO_PASSRIGHTS


def accept_descriptors(connection, bint accept):
    """Whether the system lets file descriptors reach a unix socket at all (rule D1). Older ones always do."""
    try:
        connection.setsockopt(socket.SOL_SOCKET, SO_PASSRIGHTS, int(accept))
    except OSError:
        # The option is not known. Nothing depends on it: what nobody reads, the system closes.
        pass


cdef class Link:
    def __init__(self, int fd, FrameReader reader not None, FrameWriter writer not None):
        self.fd = fd
        self.reader = reader
        self.writer = writer

    cdef LinkStatus fill(self) except *:
        return self.fill_with_care() if self.care else self.receive(MSG_DONTWAIT)

    cdef LinkStatus fill_waiting(self) except *:
        return self.receive(0)

    cdef LinkStatus receive(self, int flags) except *:
        cdef Buffer buffer = self.reader.buffer
        cdef char *to = buffer.reserve(self.reader.room())
        cdef size_t most = self.reader.most()
        cdef ssize_t got
        while True:
            if flags and most < LARGE:
                got = recv(self.fd, to, most, flags)
            else:
                buffer.pins += 1
                with nogil:
                    got = recv(self.fd, to, most, flags)
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
        if self.writer.attached is not None:
            return self.flush_attached()
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
        if self.care or self.writer.attached is not None:
            return self.exchange_at_once(read)
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

    # ---- descriptors, and reads that end where they must

    cdef LinkStatus fill_with_care(self) except *:
        cdef Buffer buffer = self.reader.buffer
        cdef char *to = buffer.reserve(self.reader.room())
        cdef size_t most = self.reader.most()
        cdef int rights = 0
        cdef ssize_t got
        # There is no telling whether all has been seen.
        self.short_read = False
        while True:
            got = control_peek(self.fd, to, most, &rights)
            if got > 0 and rights and self.care & CARE_RIGHTS:
                return self.fill_rights(to, until_end(to, <size_t> got))
            if got > 0:
                # Without room for descriptors, the system closes those that come along (rule D1).
                got = recv(self.fd, to, self.careful_size(to, <size_t> got), MSG_DONTWAIT)
            if got > 0:
                buffer.commit(<size_t> got)
                return LINK_OK
            if got == 0:
                return LINK_END
            if errno == EAGAIN:
                return LINK_BLOCKED
            if errno != EINTR:
                self.error = errno
                return LINK_LOST
            PyErr_CheckSignals()

    cdef size_t careful_size(self, const char *at, size_t size) noexcept:
        """How much of what has arrived may be read, so that what follows an upgrade stays where it is."""
        cdef Buffer buffer = self.reader.buffer
        if not self.care & (CARE_UPGRADES | CARE_FRAMES):
            return size
        if not self.care & CARE_FRAMES and (
            # What is stored ends where at begins.
            memmem(buffer.data + buffer.start, stored(buffer) + size, b"upgrade", 7) == NULL
        ):
            return size
        return until_end(at, size)

    cdef LinkStatus fill_rights(self, char *to, size_t size) except *:
        """Reads what has arrived of one frame, size bytes, where some bytes bring descriptors.

        The system gives out descriptors with the first byte that is read of what they were sent with, and
        reads on from pieces without to one that has some. So whether they came with the first byte of a frame
        only shows when that is read alone (rule D2).
        """
        cdef LinkStatus status = LINK_OK
        cdef uint64_t position = self.reader.position()
        if self.reader.at_start():
            status = self.receive_rights(to, 1)
            if status == LINK_OK and self.arrived is not None:
                self.reader.attach(self.arrived, position)
                self.arrived = None
            to += 1
            size -= 1
        if status == LINK_OK and size:
            status = self.receive_rights(to, size)
        if status == LINK_OK and self.arrived is not None:
            # They belong to no frame.
            status = LINK_ASTRAY
        self.arrived = None
        if status == LINK_ASTRAY:
            # The message they interrupt is not to be seen.
            self.reader.buffer.end -= <size_t> (self.reader.position() - position)
        if status == LINK_BLOCKED and self.reader.position() != position:
            status = LINK_OK
        return status

    cdef LinkStatus receive_rights(self, char *to, size_t size) except *:
        """Reads and commits size bytes, which have arrived; arrived has the descriptors that came along."""
        cdef int fds[RIGHTS_MOST]
        cdef int count = 0
        cdef int cut = 0
        cdef size_t taken = 0
        cdef ssize_t got
        cdef Rights rights
        self.arrived = None
        while taken < size:
            got = control_receive(self.fd, to + taken, size - taken, fds, &count, &cut)
            if got < 0 and errno == EINTR:
                PyErr_CheckSignals()
                continue
            if got < 0 and errno != EAGAIN:
                self.error = errno
                return LINK_LOST
            if got <= 0:
                return LINK_BLOCKED if got else LINK_END
            taken += <size_t> got
            self.reader.buffer.commit(<size_t> got)
            if count or cut:
                rights = rights_of(fds, count)
                if cut or self.arrived is not None:
                    # Some are lost, or there are two for one frame (rule D3).
                    return LINK_ASTRAY
                self.arrived = rights
        return LINK_OK

    cdef LinkStatus flush_attached(self) except *:
        cdef FrameWriter writer = self.writer
        cdef Buffer buffer = writer.buffer
        cdef Rights rights
        cdef ssize_t sent
        while stored(buffer):
            rights = writer.leading()
            if rights is None:
                sent = send(
                    self.fd, buffer.data + buffer.start, writer.stretch(), MSG_DONTWAIT | MSG_NOSIGNAL
                )
            else:
                sent = control_send(
                    self.fd, buffer.data + buffer.start, writer.stretch(), rights.fds, rights.count
                )
            if sent >= 0:
                writer.passed(<size_t> sent)
            elif errno == EAGAIN:
                return LINK_BLOCKED
            elif errno != EINTR:
                self.error = errno
                return LINK_LOST
            else:
                PyErr_CheckSignals()
        return LINK_OK

    cdef LinkStatus exchange_at_once(self, bint read) except *:
        cdef size_t queued = stored(self.writer.buffer)
        cdef LinkStatus status = self.flush()
        cdef int failure
        if status == LINK_LOST and read:
            # What came before that is still there.
            failure = self.error
            while stored(self.reader.buffer) <= self.reader.limit and self.fill() == LINK_OK:
                pass
            self.error = failure
            return LINK_LOST
        if status == LINK_OK and (queued or not read):
            return LINK_OK
        self.awaits = POLLOUT if status == LINK_BLOCKED else 0
        if not read or status == LINK_LOST:
            return status
        status = self.fill()
        self.awaits |= POLLIN
        return status

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

    cdef LinkStatus wait(self, int64_t due) except *:
        cdef pollfd ready
        cdef int64_t left = -1
        cdef int64_t spin_until = now() + self.busy_poll if self.busy_poll else 0
        cdef spin spinning
        cdef int count
        ready.fd = self.fd
        ready.events = self.awaits
        while True:
            ready.revents = 0
            with nogil:
                if spin_until:
                    spinning = spin_from(now(), min(spin_until, due) if due else spin_until)
                    while True:
                        count = poll(&ready, 1, 0)
                        if count != 0 or not spin_on(&spinning, now()):
                            break
                    if now() >= spin_until:
                        spin_until = 0
                else:
                    if due:
                        # Of a millisecond that has begun all is waited for: late rather than early.
                        left = min(max(due - now() + 999, <int64_t> 0) // 1000, <int64_t> LONGEST)
                    count = poll(&ready, 1, <int> left)
            if count > 0:
                return LINK_OK
            if count == 0:
                if due and now() >= due:
                    return LINK_BLOCKED
            elif errno != EINTR:
                self.error = errno
                return LINK_LOST
            PyErr_CheckSignals()
