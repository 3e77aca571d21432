# cython: language_level=3str
"""The server's end of one connection: its link, its session, and when to do what.

Under a reactor one thread at a time runs a connection: it takes calls, answers them, and writes what has
gathered when nothing more can be done at once, so that replies that are ready together leave together.
Another thread that is told of new input meanwhile only reads it, as far as calls may queue (rule C7), and
notes when the peer has gone.

What may hold a connection up, and what goes on then:
  a handler that blocks        its thread is overtaken; queued replies are sent by the one that overtakes
  a peer that does not read    no more calls are taken and nothing is read until it does
  a stream without an end      after BUDGET replies it waits until other connections had their turn
"""

from libc.stdint cimport int64_t, uint32_t

import socket

from fastvarlink._core.buffer cimport stored
from fastvarlink._core.dispatch cimport Answerer, MethodTable
from fastvarlink._core.link import is_plain_socket

from fastvarlink._core.link cimport (
    LINK_BLOCKED,
    LINK_END,
    LINK_LOST,
    LINK_OK,
    Link,
    LinkStatus,
)
from fastvarlink._core.plan cimport MethodPlan, Origin
from fastvarlink._core.reactor cimport (
    EPOLLERR,
    EPOLLHUP,
    EPOLLIN,
    EPOLLOUT,
    EPOLLRDHUP,
    Reactor,
    Source,
)
from fastvarlink._core.session cimport MESSAGE, VIOLATION, ServerSession, SessionEvent
from fastvarlink.error import ConnectionLost

cdef extern from "check.h" nogil:
    void CHECK(bint what)

cdef extern from "<time.h>" nogil:
    struct timespec:
        long tv_sec
        long tv_nsec
    int clock_gettime(int clock, timespec *now)
    int CLOCK_MONOTONIC

cdef enum:
    RECEIVE = 65536  # bytes read at most by a socket's own recv()
    ENOUGH = 65536  # bytes of replies that are written without waiting for more
    BUDGET = 64  # replies of a stream in a row while other connections may be waiting
    READS = 4  # reads of calls in a row, likewise
    # Microseconds a reply of a stream waits for company.
    GATHER = 200
    # A method that lets its thread be overtaken gains slowness; from SLOW on the lead is handed over
    # before it is called. A call that is over within BRIEF microseconds loses some.
    OVERTAKEN = 4
    SLOW = 8
    SLOWEST = 64
    BRIEF = 500


cdef int64_t microseconds() noexcept nogil:
    cdef timespec now
    clock_gettime(CLOCK_MONOTONIC, &now)
    return <int64_t> now.tv_sec * 1_000_000 + now.tv_nsec // 1000


cdef class ServerConnection(Source):
    """One connection of a server.

    request is the connected socket, which the connection owns from here on; server is what handlers get
    as _server; closed_callback(connection), if any, is called once when it is over.
    """

    def __init__(
        self, request, server, MethodTable table not None, size_t limit, closed_callback=None
    ):
        self.fd = request.fileno()
        self.plain = is_plain_socket(request)
        self.session = ServerSession(limit)
        self.link = Link(self.fd, self.session.reader, self.session.writer)
        self.origin = Origin(server, request)
        self.answerer = Answerer(self.session, table, self.origin)
        self.closed_callback = closed_callback

    # ---- under a reactor

    def start(self, Reactor reactor not None):
        """Have the reactor serve the connection until it is over, instead of any that did before."""
        # Held here: the connection's may be the last reference to it.
        cdef Reactor before = self.reactor
        if self.closed:
            # By a thread that has not come to say so yet.
            return
        if before is not None:
            before.detach(self)
        reactor.attach(self, EPOLLIN | EPOLLRDHUP | (EPOLLOUT if self.armed else 0))
        if before is not None:
            # It may have been waiting for its turn there.
            reactor.enqueue(self)

    def close(self):
        """Close the connection, as soon as a handler that is running for it has returned."""
        self.closing = True
        if not self.busy and not self.filling:
            self.shut()
        elif not self.closed:
            try:
                self.origin.request.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    cdef int ready(self, uint32_t events) except -1:
        if self.closed:
            return 0
        if events & (EPOLLHUP | EPOLLERR):
            self.gone = True
        if events & (EPOLLOUT | EPOLLHUP | EPOLLERR):
            self.blocked = False
        if events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR):
            self.ending = True
        if events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR):
            self.readable = True
        if self.busy:
            # Its thread is in a handler. Take in what may queue, so that the peer can go on.
            if (
                not self.readable
                or self.filling
                or self.ended
                or self.session.reader.buffer.pins
                or not self.session.wants_more()
            ):
                return 0
            self.read()
            if self.busy or self.closed:
                return 0
        self.busy = True
        try:
            self.run()
        except BaseException:
            self.busy = False
            self.close()
            raise
        self.busy = False
        return 0

    cdef int overtaken(self) except -1:
        if not self.closed and not self.blocked:
            self.send()
        return 0

    cdef int run(self) except -1:
        cdef SessionEvent event
        cdef int reads = 0
        CHECK(self.busy)
        while not self.closed:
            if self.closing:
                # A thread that is reading closes when it has: the descriptor must not change hands
                # under it.
                if not self.filling:
                    self.shut()
                return 0
            if self.armed and (self.blocked or not self.send()):
                return 0
            if self.answerer.stream is not None:
                if self.run_stream():
                    return 0
                continue
            event = self.session.next_call()
            if event == MESSAGE:
                self.answer()
                if stored(self.session.writer.buffer) >= ENOUGH and not self.send():
                    return 0
            elif event == VIOLATION:
                # What was answered before still goes out (rule F5).
                if not self.send():
                    return 0
                self.closing = True
            elif self.readable and not self.ended:
                if self.filling:
                    # The thread that reads goes on from here when it has.
                    return 0
                if reads == READS and self.reactor.leading():
                    if self.send():
                        self.reactor.enqueue(self)
                    return 0
                reads += 1
                self.read()
            elif stored(self.session.writer.buffer):
                if not self.send():
                    return 0
            elif self.ended:
                self.closing = True
            else:
                self.session.reader.buffer.release()
                self.session.writer.buffer.release()
                return 0
        return 0

    cdef int answer(self) except -1:
        cdef MethodPlan plan
        cdef bint led = self.reactor.leading()
        cdef int64_t began
        if not self.answerer.prepare():
            return 0
        plan = self.answerer.plan
        if plan.slowness == 0:
            self.reactor.begin_step()
            self.answerer.answer()
            if led and not self.reactor.leading():
                plan.slowness = min(plan.slowness + OVERTAKEN, SLOWEST)
            return 0
        if led and plan.slowness >= SLOW:
            self.send()
            self.reactor.hand_over()
            led = False
        self.reactor.begin_step()
        began = microseconds()
        self.answerer.answer()
        if led and not self.reactor.leading():
            plan.slowness = min(plan.slowness + OVERTAKEN, SLOWEST)
        elif microseconds() - began < BRIEF:
            plan.slowness -= 1
        else:
            plan.slowness = min(plan.slowness + 1, SLOWEST)
        return 0

    cdef bint run_stream(self) except -1:
        """Sends replies of the stream. True if it cannot go on for now, False to look again."""
        cdef MethodPlan plan = self.answerer.plan
        cdef int64_t sent = microseconds()
        cdef int64_t now
        cdef int budget = BUDGET
        cdef bint led
        while self.answerer.stream is not None:
            if self.gone or self.closing:
                self.answerer.abort(
                    ConnectionLost("The client has closed the connection in mid-stream.")
                )
                self.session.answering = False
                return False
            if budget == 0:
                if not self.send():
                    return True
                if self.reactor.leading():
                    self.reactor.enqueue(self)
                    return True
                budget = BUDGET
            budget -= 1
            led = self.reactor.leading()
            self.reactor.begin_step()
            self.answerer.step()
            if led and not self.reactor.leading():
                plan.slowness = min(plan.slowness + OVERTAKEN, SLOWEST)
            now = microseconds()
            # Replies gather only while someone watches that they do not wait long: a thread that
            # leads is overtaken, and the reply sent, when the next one takes its time.
            if (
                now - sent >= GATHER
                or plan.slowness
                or not self.reactor.leading()
                or self.reactor.spawn is None
                or stored(self.session.writer.buffer) >= ENOUGH
            ):
                if not self.send():
                    return True
                sent = now
        return False

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
        if status == LINK_OK:
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
        """Writes what is queued. False if the peer has to read first; epoll then watches for it."""
        cdef LinkStatus status = LINK_OK
        if self.gone:
            self.session.writer.buffer.consume(stored(self.session.writer.buffer))
        else:
            status = self.link.flush()
        if status == LINK_BLOCKED:
            self.blocked = True
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
        # There may be no event any more that says so: the end is looked for at once.
        self.readable = True
        self.session.writer.buffer.consume(stored(self.session.writer.buffer))
        return 0

    cdef int shut(self) except -1:
        cdef Reactor reactor = self.reactor
        if self.closed:
            return 0
        self.closed = True
        if reactor is not None:
            reactor.detach(self)
        try:
            self.answerer.abort(ConnectionLost("The connection has been closed in mid-stream."))
        finally:
            self.session.reader.discard()
            self.session.writer.buffer.consume(stored(self.session.writer.buffer))
            self.session.writer.buffer.discard()
            try:
                self.origin.let_go()
                self.origin.request.close()
            except OSError:
                # EBADF: a handler has closed the descriptor behind the socket's back.
                pass
            if self.closed_callback is not None:
                self.closed_callback(self)
        return 0

    # ---- without one

    def serve(self):
        """Serve the connection on the calling thread, waiting as needed, until it is over.

        The socket stays open: closing it is left to the caller. One with methods of its own for what
        goes through it, such as a TLS socket, is read and written by them.
        """
        try:
            self.serve_waiting()
        finally:
            self.origin.let_go()

    cdef LinkStatus transfer(self, bint read) except *:
        cdef LinkStatus status = LINK_BLOCKED
        if self.plain:
            while status == LINK_BLOCKED:
                status = self.link.exchange(read)
                if status == LINK_BLOCKED:
                    limit = self.origin.request.gettimeout()
                    status = self.link.wait(-1 if limit is None else <int> (limit * 1000))
                    # A socket with a time limit ends its connection when it is over.
                    status = LINK_BLOCKED if status == LINK_OK else LINK_LOST
            return status
        try:
            if stored(self.session.writer.buffer):
                self.origin.request.sendall(self.session.data_to_send())
            if not read:
                return LINK_OK
            data = self.origin.request.recv(RECEIVE)
        except OSError:
            return LINK_LOST
        if not data:
            return LINK_END
        self.session.receive(data)
        return LINK_OK

    cdef int serve_waiting(self) except -1:
        cdef SessionEvent event
        cdef LinkStatus status
        while True:
            if self.answerer.stream is not None:
                self.answerer.step()
            else:
                event = self.session.next_call()
                if event == VIOLATION:
                    return 0
                if event == MESSAGE:
                    if self.answerer.prepare():
                        self.answerer.answer()
                else:
                    status = self.transfer(True)
                    if status != LINK_OK:
                        return 0
            # Nobody watches over this thread: what is ready goes out before a handler runs again.
            if stored(self.session.writer.buffer) and self.transfer(False) != LINK_OK:
                self.answerer.abort(
                    ConnectionLost("The client has closed the connection in mid-stream.")
                )
                return 0
