# cython: language_level=3str
"""The server's end of one socket under a reactor: what is read from it, written to it, and how it is left."""

from libc.errno cimport ECONNRESET, EPIPE
from libc.stddef cimport size_t

from fastvarlink._core.context cimport Origin
from fastvarlink._core.dispatch cimport Answerer, MethodTable
from fastvarlink._core.forked cimport process_number
from fastvarlink._core.link cimport (
    CARE_RIGHTS,
    CARE_UPGRADES,
    LINK_ASTRAY,
    LINK_BLOCKED,
    LINK_END,
    LINK_LOST,
    LINK_OK,
    Link,
    LinkStatus,
)
from fastvarlink._core.reactor cimport EPOLLIN, EPOLLOUT, EPOLLRDHUP, Reactor, Source
from fastvarlink._core.session cimport ServerSession
from fastvarlink._core.terms cimport Terms
from fastvarlink.error import ConnectionLost, ForkDetected

cdef extern from "check.h" nogil:
    void CHECK(bint what)

cdef extern from "<sys/socket.h>" nogil:
    int setsockopt(int fd, int level, int name, const void *value, unsigned int size)
    int SOL_SOCKET
    int SO_RCVTIMEO

cdef extern from "<sys/time.h>" nogil:
    struct timeval:
        long tv_sec
        long tv_usec

cdef enum:
    LITTLE = 16384  # bytes of a buffer that count for nothing
    # Microseconds for which a thread waits for one socket, and so for which stopping waits for it.
    ATTENTION = 50_000


cdef class Endpoint(Source):
    """One socket of a server, under a reactor.

    request is the connected socket, which is owned from here on; server is what handlers get as _server;
    peer is its Peer, if it has been looked at already. rights says that messages may bring file
    descriptors, upgrades that a call may hand the socket over: both make each read a little dearer.
    """

    def __init__(
        self,
        request,
        server,
        MethodTable table not None,
        Terms terms not None,
        peer=None,
        bint rights=False,
        bint upgrades=False,
    ):
        self.fd = request.fileno()
        self.terms = terms
        self.process = process_number()
        self.session = ServerSession(terms.limits, terms.strict)
        self.link = Link(self.fd, self.session.reader, self.session.writer)
        self.link.care = (CARE_RIGHTS if rights else 0) | (CARE_UPGRADES if upgrades else 0)
        self.origin = Origin(server, request, peer)
        self.answerer = Answerer(self.session, table, self.origin)
        self.answerer.source = self

    @property
    def peer(self):
        """The Peer at the other end."""
        return self.origin.who()

    @property
    def state(self):
        """The dict that lives as long as the connection: what handlers get as _context.state."""
        return self.origin.memory()

    @property
    def request(self):
        """The socket."""
        return self.origin.request

    cdef int read(self) except -1:
        cdef LinkStatus status
        CHECK(not self.filling)
        # Before the read: an event that comes during it must not be forgotten.
        self.readable = False
        self.filling = True
        try:
            status = self.link.fill()
        finally:
            self.filling = False
        return self.take_in(status)

    cdef bint limit_waiting(self) noexcept:
        if not self.timed:
            self.timed = self.set_patience(ATTENTION)
        return self.timed

    cdef bint set_patience(self, long microseconds) noexcept:
        cdef timeval limit
        limit.tv_sec = 0
        limit.tv_usec = microseconds
        return setsockopt(self.fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0

    cdef LinkStatus read_waiting(self) except *:
        cdef LinkStatus status
        CHECK(not self.filling)
        self.readable = False
        self.filling = True
        try:
            status = self.link.fill_waiting()
        finally:
            self.filling = False
        self.take_in(status)
        return status

    cdef int take_in(self, LinkStatus status) except -1:
        if self.session.reader.buffer.capacity > LITTLE:
            self.account()
        if status == LINK_ASTRAY:
            # What came before is answered; the message they interrupt is dropped.
            self.ended = True
        elif status == LINK_OK:
            # A short read has left nothing behind but, perhaps, the end that has been announced.
            if not self.link.short_read or self.ending:
                self.readable = True
        elif status == LINK_END:
            self.ended = True
        elif status == LINK_LOST:
            self.ended = True
            self.lost()
        return 0

    cdef bint send(self) except -1:
        cdef LinkStatus status = LINK_OK
        if self.process != process_number():
            # The parent's connection: neither its socket nor its reactor is touched any more.
            self.closed = True
            raise ForkDetected(
                "A handler has forked, and its child came back into the server: end the child with "
                "os._exit(), or have it execute another program."
            )
        if self.gone:
            self.session.writer.discard()
        else:
            status = self.link.flush()
        if status == LINK_BLOCKED:
            self.blocked = True
            if self.session.writer.buffer.capacity > LITTLE:
                self.account()
            if not self.armed:
                self.armed = True
                self.reactor.modify(self, EPOLLIN | EPOLLRDHUP | EPOLLOUT)
            return False
        if status == LINK_LOST:
            self.lost()
        if self.armed:
            self.armed = False
            self.reactor.modify(self, EPOLLIN | EPOLLRDHUP)
        return True

    cdef int lost(self) except -1:
        # Calls that have arrived are still carried out: they may be oneway. Their replies go nowhere.
        self.gone = True
        if self.link.error != EPIPE and self.link.error != ECONNRESET:
            # The peer may well be there, and would wait for replies that were dropped.
            self.closing = True
        # There may be no event any more that says so: the end is looked for at once.
        self.readable = True
        self.session.writer.discard()
        self.origin.depart()
        return 0

    cdef int shut(self) except -1:
        cdef Reactor reactor = self.reactor
        if self.closed:
            return 0
        self.closed = True
        if self.countdown is not None:
            self.countdown.cancel(self)
        if reactor is not None:
            reactor.detach(self)
        try:
            self.origin.depart()
            self.answerer.abort(ConnectionLost("The connection has been closed in mid-stream."))
        finally:
            self.session.reader.discard()
            self.session.writer.discard()
            self.session.writer.buffer.discard()
            # Each whatever comes of the one before, for want of memory say.
            try:
                self.origin.let_go()
                self.origin.request.close()
            except OSError:
                # EBADF: a handler has closed the descriptor behind the socket's back.
                pass
            finally:
                try:
                    self.answerer.settle()
                    if self.held:
                        self.held = 0
                        self.terms.hold(self, 0)
                finally:
                    self.part()
                    if self.terms.closed is not None:
                        self.terms.closed(self)
        return 0

    cdef int part(self) except -1:
        if self.answerer.course is None:
            self.answerer.source = None
        return 0

    cdef int hand_over(self) except -1:
        cdef Reactor reactor = self.reactor
        takeover, self.answerer.takeover = self.answerer.takeover, None
        early = self.session.reader.rest()
        self.closed = True
        if self.countdown is not None:
            self.countdown.cancel(self)
        if reactor is not None:
            reactor.detach(self)
        self.session.writer.discard()
        if self.held:
            self.held = 0
            self.terms.hold(self, 0)
        if self.timed:
            self.set_patience(0)
        self.origin.let_go()
        self.part()
        self.terms.upgraded(self, takeover, early, self.answerer.table.own_loop)
        return 0

    cdef int account(self) except -1:
        cdef size_t size = 0
        if self.session.reader.buffer.capacity > LITTLE:
            size += self.session.reader.buffer.capacity
        if self.session.writer.buffer.capacity > LITTLE:
            size += self.session.writer.buffer.capacity
        if size != self.held:
            self.held = size
            self.terms.hold(self, size)
        return 0
