# cython: language_level=3str
"""The client's end of one connection.

A channel may be shared between threads: a call keeps it until its reply is there, other threads wait for
their turn. A stream keeps it until its last reply; calls made meanwhile are refused, since they might wait
for ever. When it is not known any more which reply would come next (a time limit, an interrupt, a stream
that was left early), the connection is closed: replies carry nothing that tells them apart (rules R6, R7).
After a deadline, a stream that was left, or an upgrade, the next call connects anew where there is a way to.
"""

from libc.errno cimport EPERM
from libc.stdint cimport int64_t
from libc.string cimport strerror

import socket
import threading

from fastvarlink._core.buffer cimport stored
from fastvarlink._core.call cimport CallPlan
from fastvarlink._core.control cimport Descriptors, Rights
from fastvarlink._core.countdown cimport now
from fastvarlink._core.deadline cimport (
    Deadline,
    deadline_in,
    earlier,
    exceeded,
    is_past,
    seconds_left,
    span_of,
)
from fastvarlink._core.forked cimport process_number
from fastvarlink._core.link import accept_descriptors, why_ended

from fastvarlink._core.link cimport (
    CARE_FRAMES,
    CARE_RIGHTS,
    LINK_ASTRAY,
    LINK_BLOCKED,
    LINK_END,
    LINK_OK,
    Link,
    LinkStatus,
)
from fastvarlink._core.message cimport ONEWAY, UPGRADE
from fastvarlink._core.session cimport MESSAGE, NEED_DATA, ClientSession, SessionEvent
from fastvarlink.error import (
    ConnectionBusy,
    ConnectionLost,
    ForkDetected,
    ProtocolError,
)

cdef extern from "check.h" nogil:
    void CHECK(bint what)

cdef extern from "pythread.h" nogil:
    unsigned long PyThread_get_thread_ident()


cdef class Channel:
    """The client's end of a connected socket.

    limits are the Limits of messages, strict says whether the service must keep to every rule. reopen(), if
    given, returns a new connection for the calls that come after one that ran out of time, after a stream was
    left before its end, or after an upgrade. A call with a time limit passes it the seconds that are left.
    busy_poll is for how many seconds a thread asks again and again for what it waits for before it sleeps.
    """

    def __init__(self, connection, limits, reopen=None, bint strict=True, double busy_poll=0):
        self.limits = limits
        self.strict = strict
        self.busy_poll = <int64_t> (busy_poll * 1e6)
        self.reopen = reopen
        self.condition = threading.Condition()
        self.connect(connection)

    cdef int connect(self, object connection) except -1:
        # Nobody is inside: the caller has its turn. Whoever left the closing of the old one to another
        # thread need not have been followed by that thread yet.
        if self.connection is not None:
            self.connection.close()
        self.connection = connection
        self.fileno = connection.fileno
        self.session = ClientSession(self.limits, self.strict)
        self.process = process_number()
        self.link = Link(self.fileno(), self.session.reader, self.session.writer)
        self.link.busy_poll = self.busy_poll
        self.closed = self.left = False
        return 0

    @property
    def busy(self):
        """True while a call or a stream is under way."""
        return self.owner != 0 or self.streaming

    @property
    def is_closed(self):
        """True once the connection cannot be used any more."""
        return self.closed

    # ---- its end

    def close(self, str why="It has been closed by this program."):
        """Close the connection. A thread that waits for a reply gets ConnectionLost."""
        self.left = False
        self.shut(why)

    cdef int fail(self, str why) except -1:
        return 0 if self.closed else self.shut(why)

    cdef int give_up(self, str why) except -1:
        if self.closed:
            return 0
        self.left = True
        return self.shut(why)

    cdef int shut(self, str why) except -1:
        # While the socket is shut down another thread may put a new one in its place.
        connection = self.connection
        if not self.closed:
            self.closed = True
            self.why_closed = why
        if connection is None:
            return 0
        try:
            # close() alone would leave a thread that waits in recv() waiting. In a fork it would end the
            # parent's connection.
            if self.process == process_number():
                connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        if connection is self.connection and (self.owner == 0 or self.owner == PyThread_get_thread_ident()):
            self.drop_descriptors()
            connection.close()
        # Else the thread inside closes it on its way out: the number of the descriptor must not go to
        # another file while it is using it.
        return 0

    cdef int drop_descriptors(self) except -1:
        """Closes those that have not been sent, and those that nobody has asked for."""
        if self.session.writer.attached is not None:
            self.session.writer.discard()
        self.session.reader.attached = None
        self.session.received = None
        return 0

    cdef object hand_over(self):
        CHECK(self.owner == PyThread_get_thread_ident())
        self.closed = self.left = True
        self.why_closed = "It has left Varlink by an upgrade."
        connection, self.connection = self.connection, None
        self.fileno = None
        return connection

    # ---- whose turn it is

    cdef int acquire(self, CallPlan plan, Deadline deadline) except -1:
        if self.owner == 0 and not self.streaming:
            self.owner = PyThread_get_thread_ident()
        else:
            self.await_turn(plan, deadline)
        self.deadline = deadline
        if is_past(deadline.due):
            self.release()
            raise exceeded(None if plan is None else plan.name, "sent", deadline)
        return 0

    cdef int await_turn(self, CallPlan plan, Deadline deadline) except -1:
        cdef unsigned long me = PyThread_get_thread_ident()
        if self.streaming or self.owner == me:
            raise ConnectionBusy(
                "A call is still in progress on this connection: read its replies to the end first, "
                "or open a second connection."
            )
        with self.condition:
            self.waiters += 1
            try:
                while self.owner != 0:
                    self.condition.wait(seconds_left(deadline))
                    if self.owner != 0 and is_past(deadline.due):
                        raise exceeded(None if plan is None else plan.name, "sent", deadline)
                if self.streaming:
                    raise ConnectionBusy(
                        "A stream has been started on this connection: read its replies to the end "
                        "first, or open a second connection."
                    )
                self.owner = me
            finally:
                self.waiters -= 1
        return 0

    cdef int acquire_stream(self, Deadline deadline) except -1:
        """As acquire(), for the reader of the stream that is under way."""
        self.check_process()
        if self.owner != 0:
            raise ConnectionBusy("Another thread is reading this stream of replies.")
        self.owner = PyThread_get_thread_ident()
        self.deadline = deadline
        return 0

    cdef int release(self) except -1:
        CHECK(self.owner == PyThread_get_thread_ident())
        self.owner = 0
        if self.closed and self.connection is not None:
            # Another thread may have left the closing to the one that was inside.
            self.drop_descriptors()
            self.connection.close()
        if self.waiters:
            with self.condition:
                self.condition.notify_all()
        return 0

    # ---- whether a call can be made

    cdef int prepare(self) except -1:
        CHECK(self.owner == PyThread_get_thread_ident())
        self.check_open()
        if not self.session.waiting():
            self.check_quiet()
        return 0

    cdef int check_process(self) except -1:
        if self.process != process_number():
            raise ForkDetected(
                "This connection belongs to the process that this one was forked from, which would get the "
                "reply: open one of its own."
            )
        return 0

    cdef int check_open(self) except -1:
        self.check_process()
        if self.left and self.reopen is not None:
            self.connect_anew()
        if not self.closed and self.fileno() != self.link.fd:
            self.fail("Its socket has been closed.")
        if self.closed:
            raise ConnectionLost(f"The connection is closed. {self.why_closed}")
        return 0

    cdef int connect_anew(self) except -1:
        connection = self.reopen(seconds_left(self.deadline)) if self.deadline.due else self.reopen()
        if self.left:
            return self.connect(connection)
        # close() came in between.
        connection.close()
        return 0

    cdef int check_quiet(self) except -1:
        """Makes sure that nothing has come that no call waits for: it would be taken for a reply."""
        cdef LinkStatus status
        status = LINK_BLOCKED if stored(self.session.reader.buffer) else self.link.probe()
        if status == LINK_OK:
            return 0
        if status == LINK_BLOCKED:
            self.fail("The service has sent a reply to no call.")
            raise ProtocolError(f"The connection has been closed. {self.why_closed}")
        return self.lose(status)

    # ---- calls and replies

    cdef int send(self, CallPlan plan, bytes parameters, int flags, Descriptors descriptors) except -1:
        cdef Rights outgoing = None
        CHECK(self.owner == PyThread_get_thread_ident())
        if descriptors is not None:
            outgoing = self.expect_descriptors(descriptors)
        self.session.call(plan.wire_name, parameters, flags, outgoing)
        if flags & ONEWAY:
            self.transfer(plan, False)
        return 0

    cdef Rights expect_descriptors(self, Descriptors descriptors):
        """From here on they are received, too. What goes with the call."""
        if self.connection.family != socket.AF_UNIX:
            raise ValueError("File descriptors can only be passed over a unix socket, and this is none.")
        if not self.link.care & CARE_RIGHTS:
            self.link.care |= CARE_RIGHTS
            accept_descriptors(self.connection, True)
        return descriptors.let_go()

    cdef object take(self, CallPlan plan, bint namespaced, Descriptors descriptors):
        self.await_reply(plan)
        if descriptors is not None:
            # Those of the reply before are closed, if nobody has taken them.
            descriptors.received = self.session.received
        self.session.received = None
        result = plan.read(self.session.message, namespaced)
        if stored(self.session.reader.buffer) == 0:
            self.session.reader.buffer.release()
        return result

    def send_message(self, bytes message not None, timeout=None, Descriptors descriptors=None):
        """Send a call that the program has encoded itself, without its NUL, within so many seconds.

        Its reply is not waited for. ``descriptors`` go with it.
        """
        cdef Rights outgoing = None
        self.acquire(None, deadline_in(span_of(timeout, 0)))
        try:
            self.check_open()
            if descriptors is not None:
                outgoing = self.expect_descriptors(descriptors)
            if self.session.send_message(message, outgoing) & UPGRADE:
                self.link.care |= CARE_FRAMES
            self.transfer(None, False)
        finally:
            self.release()

    def next_message(self, timeout=None, Descriptors descriptors=None):
        """The next reply as its bytes, without the NUL, if it comes within so many seconds.

        ``descriptors`` takes those that came with it.
        """
        self.acquire(None, deadline_in(span_of(timeout, 0)))
        try:
            self.check_open()
            self.await_reply(None)
            if descriptors is not None:
                descriptors.received = self.session.received
            self.session.received = None
            return self.session.message.raw()
        finally:
            self.release()

    def leave(self):
        """The socket, after the reply to an upgrade. Nothing behind it has been read."""
        self.acquire(None, deadline_in(0))
        try:
            self.check_open()
            return self.hand_over()
        finally:
            self.release()

    cdef bint arrived(self) except -1:
        cdef SessionEvent event = self.session.next_reply()
        if event == MESSAGE:
            return True
        if event != NEED_DATA:
            why = self.session.complaint()
            self.fail(why)
            raise ProtocolError(f"The connection has been closed. {why}")
        if stored(self.session.reader.buffer) == 0:
            self.unfinished = 0
        elif self.unfinished == 0 and self.limits.frame_timeout is not None:
            self.unfinished = now() + <int64_t> (self.limits.frame_timeout * 1e6)
        return False

    cdef int await_reply(self, CallPlan plan) except -1:
        self.unfinished = 0
        while not self.arrived():
            self.transfer(plan, True)
        return 0

    cdef int transfer(self, CallPlan plan, bint read) except -1:
        cdef bint at_once = (
            self.duplex or self.deadline.due != 0 or self.unfinished != 0 or self.busy_poll != 0
        )
        cdef LinkStatus status
        cdef Link link = self.link
        CHECK(self.owner == PyThread_get_thread_ident())
        # A service that always has a bit more to say is never waited for.
        if at_once and is_past(earlier(self.deadline.due, self.unfinished)):
            return self.run_out(plan)
        try:
            while True:
                status = link.exchange_at_once(read) if at_once else link.exchange(read)
                if status != LINK_BLOCKED or self.closed:
                    break
                status = link.wait(self.soonest())
                if status != LINK_OK or self.closed:
                    break
        except BaseException:
            # An interrupt, most likely. The reply would still come, and be taken for another's.
            self.fail("A call on it was interrupted before its reply came.")
            raise
        if status == LINK_OK and not self.closed:
            return 0
        if status == LINK_BLOCKED and not self.closed:
            return self.run_out(plan)
        return self.lose(status)

    cdef int64_t soonest(self) except -1:
        """Until when the thread may wait; 0 for ever."""
        cdef int64_t due = earlier(self.deadline.due, self.unfinished)
        limit = self.connection.gettimeout()
        return due if limit is None else earlier(due, now() + <int64_t> (limit * 1e6))

    cdef int run_out(self, CallPlan plan) except -1:
        cdef str why = "A call on it ran out of time before its reply came."
        cdef bint written = stored(self.session.writer.buffer) == 0
        if is_past(self.deadline.due):
            self.give_up(why)
            raise exceeded(
                None if plan is None else plan.name, "answered" if written else "written", self.deadline
            )
        self.fail(why)
        if is_past(self.unfinished):
            raise TimeoutError("The service has begun a reply and not finished it within the time limit.")
        raise TimeoutError("The service has not answered within the time limit of the socket.")

    cdef int lose(self, LinkStatus status) except -1:
        """Closes the connection, which the other side or the system has ended, and says so."""
        if self.closed:
            raise ConnectionLost(f"The connection is closed. {self.why_closed}")
        if status == LINK_ASTRAY:
            self.fail("The service has sent file descriptors in the middle of a message, or too many.")
            raise ProtocolError(f"The connection has been closed. {self.why_closed}")
        if status == LINK_END:
            why = "The service has closed it."
        elif self.link.error == EPERM:
            # What the system answers for a peer that refuses them.
            why = "The service takes no file descriptors."
        else:
            why = f"The system says: {strerror(self.link.error).decode()}."
        connection = self.connection
        self.fail(why)
        why = self.why_closed = why_ended(connection) or why
        raise ConnectionLost(f"The connection is lost. {why}")
