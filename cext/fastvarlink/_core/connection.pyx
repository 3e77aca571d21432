# cython: language_level=3str
"""The server's end of one connection: when to do what.

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
from fastvarlink._core.countdown cimport Countdown, now
from fastvarlink._core.endpoint cimport Endpoint
from fastvarlink._core.forked cimport process_number
from fastvarlink._core.link cimport CARE_UPGRADES, LINK_BLOCKED, LINK_OK, LinkStatus
from fastvarlink._core.plan cimport MethodPlan
from fastvarlink._core.reactor cimport (
    EPOLLERR,
    EPOLLHUP,
    EPOLLIN,
    EPOLLOUT,
    EPOLLRDHUP,
    Reactor,
)
from fastvarlink._core.message cimport ONEWAY
from fastvarlink._core.session cimport MESSAGE, VIOLATION, SessionEvent
from fastvarlink._core.terms cimport Terms
from fastvarlink.error import ConnectionLost

cdef extern from "check.h" nogil:
    void CHECK(bint what)

cdef extern from "<sys/socket.h>" nogil:
    int shutdown(int fd, int how)
    int SHUT_RD

cdef enum:
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


cdef class ServerConnection(Endpoint):
    """One connection of a server, under a reactor; made as an Endpoint is."""

    def start(self, Reactor reactor not None):
        """Have the reactor serve the connection until it is over, instead of any that did before."""
        # Held here: the connection's may be the last reference to it.
        cdef Reactor before = self.reactor
        if self.closed:
            # By a thread that has not come to say so yet.
            return
        if before is not None:
            before.detach(self)
        self.answerer.tasks = self.terms.tasks
        reactor.attach(self, EPOLLIN | EPOLLRDHUP | (EPOLLOUT if self.armed else 0))
        reactor.observe(self.terms.frames)
        reactor.observe(self.terms.idle)
        if self.countdown is None and self.terms.idle is not None:
            reactor.start_countdown(self, self.terms.idle)
        if before is not None:
            # It may have been waiting for its turn there.
            reactor.enqueue(self)

    def close(self):
        """Close the connection, as soon as a handler that is running for it has returned."""
        self.closing = True
        if self.answerer.tasks is not None and self.reactor is not None and not self.reactor.leading():
            # What is awaited for it is the event loop's.
            self.reactor.enqueue(self)
        elif (not self.busy or self.elsewhere) and not self.filling:
            self.shut()
        elif not self.closed and self.process == process_number():
            self.origin.depart()
            try:
                self.origin.request.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def finish(self, bint patient=False):
        """Close the connection when the calls that have arrived are answered, and streams at their end.

        With patient, one that has not brought any call yet, or has brought a part of one, is closed after
        that call.
        """
        self.patient = patient
        self.finishing = True
        self.origin.stop()
        if self.reactor is not None:
            self.reactor.enqueue(self)

    cdef int expired(self) except -1:
        if self.limited:
            self.limited = False
            if not self.closed and self.answerer.run_out() and not self.blocked:
                self.send()
        elif not self.busy:
            # Its message is not finished, or no call has come.
            self.close()
        return 0

    cdef int begin_limit(self) except -1:
        cdef Countdown limit = self.answerer.plan.limit
        if limit is not None:
            self.reactor.observe(limit)
            self.reactor.start_countdown(self, limit)
            self.limited = True
        return 0

    cdef int end_limit(self) except -1:
        if self.limited and not self.answerer.waits:
            self.limited = False
            if self.countdown is not None:
                self.countdown.cancel(self)
        return 0

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
        if self.gone and not self.origin.gone:
            # Whoever is told may let another thread run.
            self.origin.depart()
            if self.closed:
                return 0
        if self.busy:
            # Its thread is in a handler. Take in what may queue, so that the peer can go on.
            if (
                not self.readable
                or self.filling
                or self.ended
                or self.session.reader.buffer.pins
                # What follows an upgrade is not for us to read.
                or self.link.care & CARE_UPGRADES
            ):
                return 0
            try:
                if not self.session.wants_more():
                    return 0
                self.read()
            except BaseException:
                # The event is gone, and with it what it told.
                self.close()
                raise
            if self.busy or self.closed:
                return 0
        self.busy = True
        return self.run_on()

    cdef int run_on(self) except -1:
        try:
            self.run()
            if self.attended:
                self.leave()
        except BaseException:
            self.busy = False
            self.close()
            raise
        if not self.elsewhere:
            self.busy = False
        elif self.reactor.leading():
            self.reactor.delegate(self)
        else:
            self.busy = self.elsewhere = False
            try:
                self.reactor.enqueue(self)
            except BaseException:
                # Nobody would come back to it.
                self.close()
                raise
        return 0

    cdef int carry_on(self) except -1:
        self.elsewhere = False
        return 0 if self.closed else self.run_on()

    cdef int resumed(self) except -1:
        CHECK(not self.busy)
        self.busy = True
        try:
            self.answerer.resume()
            self.end_limit()
            if self.answerer.ready:
                self.answerer.ready = False
                self.prepared = True
        except BaseException:
            self.busy = False
            self.close()
            raise
        if self.closed:
            self.busy = False
            self.part()
            return 0
        return self.run_on()

    cdef int overtaken(self) except -1:
        if not self.closed and not self.blocked:
            self.send()
        return 0

    cdef int run(self) except -1:
        cdef SessionEvent event
        cdef int reads = 0
        cdef int calls = 0
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
            if self.answerer.waits:
                if self.gone and not self.session.flags & ONEWAY:
                    self.answerer.abort(ConnectionLost("The client has closed the connection."))
                elif stored(self.session.writer.buffer) and not self.send():
                    return 0
                if not self.readable or self.ended or self.link.care & CARE_UPGRADES:
                    return 0
                if self.session.reader.buffer.pins or not self.session.wants_more():
                    return 0
                self.read()
                continue
            if self.answerer.takeover is not None:
                if stored(self.session.writer.buffer) and not self.send():
                    return 0
                if not self.filling:
                    self.hand_over()
                return 0
            if self.taken:
                if (
                    self.answerer.table.interception is not None
                    and self.answerer.table.interception.awaits
                    and not self.reactor.leading()
                ):
                    self.elsewhere = True
                    return 0
                self.taken = False
                self.prepared = self.answerer.prepare()
                continue
            if (
                self.answerer.tasks is not None
                and (self.prepared or self.answerer.stream is not None or self.answerer.unbegun is not None)
                and self.answerer.is_for_another(self.reactor.leading())
            ):
                self.elsewhere = True
                return 0
            if self.answerer.stream is not None:
                if self.attended:
                    # Its replies gather only where the leader sees to them.
                    self.elsewhere = True
                    return 0
                if self.run_stream():
                    return 0
                continue
            if self.prepared or self.answerer.unbegun is not None:
                self.prepared = False
                if not self.reactor.leading() and stored(self.session.writer.buffer) and not self.send():
                    # Nobody watches over this thread: what is ready goes out before a handler may block.
                    self.prepared = True
                    return 0
                self.begin_limit()
                self.answerer.answer()
                self.end_limit()
                if stored(self.session.writer.buffer) >= self.terms.max_unsent and not self.send():
                    return 0
                continue
            if (
                stored(self.session.writer.buffer)
                and stored(self.session.reader.buffer)
                and not self.reactor.leading()
                and not self.send()
            ):
                # Nobody watches over this thread: what is ready goes out before the next handler may block.
                return 0
            event = self.session.next_call()
            if event == MESSAGE:
                self.called = True
                calls += 1
                if self.attended and stored(self.session.reader.buffer):
                    # It does not send one call at a time any more.
                    self.leave()
                if self.countdown is not None:
                    self.countdown.cancel(self)
                if self.answerer.tasks is not None:
                    self.taken = True
                    continue
                self.answer()
                if stored(self.session.writer.buffer) >= self.terms.max_unsent and not self.send():
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
            elif self.ended or self.gone:
                # All calls that have come are carried out, and there is nobody to answer to.
                self.closing = True
            elif self.finishing and self.patient and (
                not self.called or stored(self.session.reader.buffer)
            ):
                self.rest()
                return 0
            elif self.finishing and not self.looked:
                # What has arrived and not been told of yet is answered as well. From here on a peer on a unix
                # socket cannot send: no call of its comes to be read by nobody. Should an upgrade be among
                # those that have arrived, it is cut short, as all upgrades are that outlast the server. If
                # the peer has closed the socket, the read tells.
                shutdown(self.fd, SHUT_RD)
                self.looked = self.readable = True
            elif self.finishing:
                self.closing = True
            else:
                if calls != 1:
                    # Who sends several calls at once gains nothing by it.
                    self.reactor.streak = 0
                if not self.attend():
                    if not self.reactor.stopping or not stored(self.session.reader.buffer):
                        self.rest()
                    return 0
                calls = 0
        return 0

    cdef bint attend(self) except -1:
        cdef MethodPlan plan = self.answerer.plan
        cdef LinkStatus status
        if not self.attended:
            if self.link.care or self.answerer.tasks is not None:
                return False
            if plan is None or plan.limit is not None:
                # The leader would be woken each time to see to it.
                return False
            if not self.reactor.attend(self):
                return False
            self.attended = True
            if not self.limit_waiting():
                return False
        if self.filling or stored(self.session.reader.buffer) or not self.reactor.may_attend(self):
            # The leader may be reading what has come with the end.
            return False
        status = self.read_waiting()
        if status == LINK_BLOCKED:
            self.leave()
        # A call that has come after the end of serving is for the next time.
        return status != LINK_OK or not self.reactor.stopping or self.closing

    cdef int leave(self) except -1:
        self.attended = False
        if self.reactor is not None:
            self.reactor.leave(self, EPOLLIN | EPOLLRDHUP | (EPOLLOUT if self.armed else 0))
        return 0

    cdef int rest(self) except -1:
        cdef Terms terms = self.terms
        cdef Countdown countdown = terms.idle
        self.session.reader.buffer.release()
        self.session.writer.buffer.release()
        if self.held:
            self.account()
        if stored(self.session.reader.buffer):
            if self.countdown is not None and self.countdown is terms.frames:
                # It has been running since the message began (rule F12).
                return 0
            countdown = terms.frames
        if countdown is not None:
            self.reactor.start_countdown(self, countdown)
        elif self.countdown is not None:
            self.countdown.cancel(self)
        return 0

    cdef int answer(self) except -1:
        cdef MethodPlan plan
        cdef bint led = self.reactor.leading()
        cdef int64_t began
        if not self.answerer.prepare():
            return 0
        plan = self.answerer.plan
        if plan.limit is not None:
            self.begin_limit()
        if plan.slowness == 0:
            self.reactor.begin_step()
            self.answerer.answer()
            if self.limited:
                self.end_limit()
            if led and not self.reactor.leading():
                plan.slowness = min(plan.slowness + OVERTAKEN, SLOWEST)
            return 0
        if led and plan.slowness >= SLOW:
            self.send()
            self.reactor.hand_over()
            led = False
        self.reactor.begin_step()
        began = now()
        self.answerer.answer()
        if self.limited:
            self.end_limit()
        if led and not self.reactor.leading():
            plan.slowness = min(plan.slowness + OVERTAKEN, SLOWEST)
        elif now() - began < BRIEF:
            plan.slowness -= 1
        else:
            plan.slowness = min(plan.slowness + 1, SLOWEST)
        return 0

    cdef bint run_stream(self) except -1:
        cdef MethodPlan plan = self.answerer.plan
        cdef int64_t sent = now()
        cdef int64_t time
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
            self.begin_limit()
            self.answerer.step()
            self.end_limit()
            if self.answerer.waits:
                return False
            if led and not self.reactor.leading():
                plan.slowness = min(plan.slowness + OVERTAKEN, SLOWEST)
            time = now()
            # Replies gather only while someone watches that they do not wait long: a thread that
            # leads is overtaken, and the reply sent, when the next one takes its time.
            if (
                time - sent >= GATHER
                or plan.slowness
                or not self.reactor.leading()
                or (self.reactor.spawn is None and not self.answerer.asynchronous)
                or stored(self.session.writer.buffer) >= self.terms.max_unsent
            ):
                if not self.send():
                    return True
                sent = time
        return False
