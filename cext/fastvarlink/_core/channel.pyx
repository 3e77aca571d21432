# cython: language_level=3str
"""The client's end of one connection.

A channel may be shared between threads: a call keeps it until its reply is there, other threads wait for
their turn. A stream keeps it until its last reply; calls made meanwhile are refused, since they might wait
for ever. When it is not known any more which reply would come next (a time limit, an interrupt, a stream
that was left early), the connection is closed: replies carry nothing that tells them apart (rules R6, R7).
"""

from libc.stdint cimport int64_t
from libc.string cimport strerror

import socket
import threading

from fastvarlink._core.buffer cimport stored
from fastvarlink._core.call cimport CallPlan
from fastvarlink._core.control cimport Descriptors, Rights
from fastvarlink._core.countdown cimport now
from fastvarlink._core.forked cimport process_number
from fastvarlink._core.link import accept_descriptors

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
from fastvarlink._core.message cimport MORE, ONEWAY, UPGRADE
from fastvarlink._core.session cimport MESSAGE, NEED_DATA, ClientSession, SessionEvent
from fastvarlink.error import (
    ConnectionBusy,
    ConnectionLost,
    ForkDetected,
    ProtocolError,
)

cdef extern from "check.h" nogil:
    void CHECK(bint what)

cdef extern from "<poll.h>" nogil:
    short POLLIN

cdef extern from "pythread.h" nogil:
    unsigned long PyThread_get_thread_ident()


cdef enum:
    LONGEST = 0x7FFFFFFF  # milliseconds poll() can wait


cdef class Channel:
    """The client's end of a connected socket.

    limits are the Limits of messages, strict says whether the service must keep to every rule. reopen(), if
    given, returns a new connection for the calls that come after a stream was left before its end, or after
    an upgrade.
    """

    def __init__(self, connection, limits, reopen=None, bint strict=True):
        self.limits = limits
        self.strict = strict
        self.reopen = reopen
        self.condition = threading.Condition()
        self.connect(connection)

    cdef int connect(self, object connection) except -1:
        # Nobody is inside: the caller has its turn. Whoever left the closing of the old one to another
        # thread need not have been followed by that thread yet.
        if self.connection is not None:
            self.connection.close()
        self.connection = connection
        self.session = ClientSession(self.limits, self.strict)
        self.process = process_number()
        self.link = Link(connection.fileno(), self.session.reader, self.session.writer)
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

    def close(self, str why="It has been closed by this program."):
        """Close the connection. A thread that waits for a reply gets ConnectionLost."""
        self.left = False
        if not self.closed:
            self.closed = True
            self.why_closed = why
        try:
            # close() alone would leave a thread that waits in recv() waiting. In a fork it would end the
            # parent's connection.
            if self.connection is not None and self.process == process_number():
                self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        if self.connection is None:
            return
        if self.owner == 0 or self.owner == PyThread_get_thread_ident():
            self.drop_descriptors()
            self.connection.close()
        # Else the thread inside closes it on its way out: the number of the descriptor must not go to
        # another file while it is using it.

    def call(self, CallPlan plan not None, tuple arguments not None, dict keywords not None,
             bint oneway, bint namespaced, Descriptors descriptors=None):
        """Call a method and return its result: a dict, a namespace, or None for a oneway call.

        What descriptors has been given goes with the call, and it then has what came with the reply.
        """
        cdef bytes parameters = plan.encode(arguments, keywords)
        self.acquire()
        try:
            self.send(plan, parameters, ONEWAY if oneway else 0, descriptors)
            if oneway:
                return None
            return self.take(plan, namespaced, descriptors)
        finally:
            self.release()

    def upgrade(self, CallPlan plan not None, tuple arguments not None, dict keywords not None,
                bint namespaced):
        """Call a method that hands the connection over to another protocol: its result, and the socket.

        Of what the service sends behind its reply nothing has been read (rule C12). The channel is closed,
        but for the socket, which is the caller's from here on. An error reply leaves everything as it was.
        """
        cdef bytes parameters = plan.encode(arguments, keywords)
        self.acquire()
        try:
            # Also the link may be a new one after this.
            self.check_open()
            self.link.care |= CARE_FRAMES
            self.send(plan, parameters, UPGRADE, None)
            result = self.take(plan, namespaced, None)
            self.closed = self.left = True
            self.why_closed = "It has left Varlink by an upgrade."
            connection, self.connection = self.connection, None
            return result, connection
        finally:
            self.link.care &= ~CARE_FRAMES
            self.release()

    cdef int acquire(self) except -1:
        cdef unsigned long me = PyThread_get_thread_ident()
        if self.owner == 0 and not self.streaming:
            self.owner = me
            return 0
        if self.streaming or self.owner == me:
            raise ConnectionBusy(
                "A call is still in progress on this connection: read its replies to the end first, "
                "or open a second connection."
            )
        with self.condition:
            self.waiters += 1
            try:
                while self.owner != 0:
                    self.condition.wait()
                if self.streaming:
                    raise ConnectionBusy(
                        "A stream has been started on this connection: read its replies to the end "
                        "first, or open a second connection."
                    )
                self.owner = me
            finally:
                self.waiters -= 1
        return 0

    cdef int acquire_stream(self) except -1:
        """As acquire(), for the reader of the stream that is under way."""
        if self.owner != 0:
            raise ConnectionBusy("Another thread is reading this stream of replies.")
        self.owner = PyThread_get_thread_ident()
        return 0

    cdef int release(self) except -1:
        self.owner = 0
        if self.closed and self.connection is not None:
            # Another thread may have left the closing to the one that was inside.
            self.drop_descriptors()
            self.connection.close()
        if self.waiters:
            with self.condition:
                self.condition.notify_all()
        return 0

    cdef int send(self, CallPlan plan, bytes parameters, int flags, Descriptors descriptors) except -1:
        """Queues a call and, if no reply is expected, writes it."""
        cdef Rights outgoing = None
        CHECK(self.owner == PyThread_get_thread_ident())
        self.check_open()
        self.check_quiet()
        if descriptors is not None:
            outgoing = self.expect_descriptors(descriptors)
        self.session.call(plan.wire_name, parameters, flags, outgoing)
        if flags & ONEWAY:
            self.transfer(False)
        return 0

    cdef int drop_descriptors(self) except -1:
        """Closes those that have not been sent, and those that nobody has asked for."""
        if self.session.writer.attached is not None:
            self.session.writer.discard()
        self.session.reader.attached = None
        self.session.received = None
        return 0

    cdef Rights expect_descriptors(self, Descriptors descriptors):
        """From here on they are received, too. What goes with the call."""
        if self.connection.family != socket.AF_UNIX:
            raise ValueError("File descriptors can only be passed over a unix socket, and this is none.")
        if not self.link.care & CARE_RIGHTS:
            self.link.care |= CARE_RIGHTS
            accept_descriptors(self.connection, True)
        return descriptors.let_go()

    cdef int check_open(self) except -1:
        if self.process != process_number():
            raise ForkDetected(
                "This connection belongs to the process that this one was forked from, which would get the "
                "reply: open one of its own."
            )
        if self.left and self.reopen is not None:
            self.connect(self.reopen())
        if not self.closed and self.connection.fileno() != self.link.fd:
            self.fail("Its socket has been closed.")
        if self.closed:
            raise ConnectionLost(f"The connection is closed. {self.why_closed}")
        return 0

    cdef int check_quiet(self) except -1:
        """Makes sure that nothing has come that no call waits for: it would be taken for a reply."""
        cdef LinkStatus status
        if self.session.waiting():
            return 0
        status = LINK_BLOCKED if stored(self.session.reader.buffer) else self.link.probe()
        if status == LINK_OK:
            return 0
        if status == LINK_BLOCKED:
            self.fail("The service has sent a reply to no call.")
            raise ProtocolError(f"The connection has been closed. {self.why_closed}")
        return self.lose(status)

    cdef int lose(self, LinkStatus status) except -1:
        """Closes the connection, which the other side or the system has ended, and says so."""
        if self.closed:
            raise ConnectionLost(f"The connection is closed. {self.why_closed}")
        if status == LINK_ASTRAY:
            self.fail("The service has sent file descriptors in the middle of a message, or too many.")
            raise ProtocolError(f"The connection has been closed. {self.why_closed}")
        if status == LINK_END:
            why = "The service has closed it."
        else:
            why = f"The system says: {strerror(self.link.error).decode()}."
        self.fail(why)
        raise ConnectionLost(f"The connection is lost. {why}")

    def send_message(self, bytes message not None):
        """Send a call that the program has encoded itself, without its NUL. Nothing is waited for."""
        self.acquire()
        try:
            self.check_open()
            self.session.send_message(message)
            self.transfer(False)
        finally:
            self.release()

    def next_message(self):
        """The next reply as its bytes, without the NUL."""
        self.acquire()
        try:
            self.check_open()
            self.await_reply()
            return self.session.message.raw()
        finally:
            self.release()

    cdef int transfer(self, bint read) except -1:
        """Writes what is queued and reads once. Whatever goes wrong closes the connection."""
        cdef LinkStatus status
        cdef Link link = self.link
        try:
            while True:
                status = link.exchange(read)
                if status != LINK_BLOCKED or self.closed:
                    break
                limit = self.connection.gettimeout()
                status = link.wait(-1 if limit is None else <int> min(limit * 1000, LONGEST))
                if status != LINK_OK or self.closed:
                    break
        except BaseException:
            # An interrupt, most likely. The reply would still come, and be taken for another's.
            self.fail("A call on it was interrupted before its reply came.")
            raise
        if status == LINK_OK and not self.closed:
            return 0
        if status == LINK_BLOCKED and not self.closed:
            self.fail("A call on it ran out of time before its reply came.")
            raise TimeoutError("The service has not answered within the time limit of the socket.")
        return self.lose(status)

    cdef int await_reply(self) except -1:
        """Waits for the next reply: session.message holds it."""
        cdef SessionEvent event
        cdef int64_t began = 0
        while True:
            event = self.session.next_reply()
            if event == MESSAGE:
                return 0
            if event != NEED_DATA:
                why = self.session.complaint()
                self.fail(why)
                raise ProtocolError(f"The connection has been closed. {why}")
            if stored(self.session.reader.buffer) and self.limits.frame_timeout is not None:
                if began == 0:
                    began = now()
                self.await_more(began)
            self.transfer(True)

    cdef int await_more(self, int64_t began) except -1:
        """Waits for more of a reply that began then, which has its time (rule F12)."""
        cdef LinkStatus status = LINK_BLOCKED
        cdef double left = self.limits.frame_timeout - (now() - began) / 1e6
        limit = self.connection.gettimeout()
        if left > 0:
            if limit is not None:
                left = min(left, limit)
            self.link.awaits = POLLIN
            try:
                status = self.link.wait(<int> min(left * 1000 + 1, <double> LONGEST))
            except BaseException:
                self.fail("A call on it was interrupted before its reply came.")
                raise
        if status == LINK_OK:
            return 0
        if status == LINK_BLOCKED and not self.closed:
            self.fail("A call on it ran out of time before its reply came.")
            raise TimeoutError("The service has begun a reply and not finished it within the time limit.")
        return self.lose(status)

    cdef object take(self, CallPlan plan, bint namespaced, Descriptors descriptors):
        """The result of the next reply."""
        self.await_reply()
        if descriptors is not None:
            # Those of the reply before are closed, if nobody has taken them.
            descriptors.received = self.session.received
        self.session.received = None
        result = plan.read(self.session.message, namespaced)
        if stored(self.session.reader.buffer) == 0:
            self.session.reader.buffer.release()
        return result

    cdef int fail(self, str why) except -1:
        if not self.closed:
            self.close(why)
        return 0


cdef class ReplyStream:
    """The replies to one call with ``more``, as they arrive. An iterator; also a context manager.

    The call is sent when the first reply is asked for. Leaving the stream before its end closes the
    connection, as the protocol has no other way to stop it; an unread stream that is dropped does the
    same.
    """

    cdef Channel channel
    cdef CallPlan plan
    cdef bytes parameters
    cdef bint namespaced
    cdef bint started
    cdef bint over
    cdef Descriptors descriptors

    def __init__(
        self,
        Channel channel not None,
        CallPlan plan not None,
        bytes parameters,
        bint namespaced,
        Descriptors descriptors=None,
    ):
        self.descriptors = descriptors
        self.channel = channel
        self.plan = plan
        self.parameters = parameters
        self.namespaced = namespaced

    def __iter__(self):
        return self

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def __next__(self):
        cdef Channel channel = self.channel
        if self.over:
            raise StopIteration
        if self.started:
            channel.acquire_stream()
        else:
            channel.acquire()
        try:
            if self.over:
                # Another thread has read it to its end while this one waited for its turn.
                raise StopIteration
            if not self.started:
                channel.send(self.plan, self.parameters, MORE, self.descriptors)
                channel.streaming = self.started = True
            try:
                result = channel.take(self.plan, self.namespaced, self.descriptors)
            except BaseException:
                # An error reply ends the stream; for anything else the connection is closed already,
                # or, where only a result did not fit its declaration, more replies may be coming.
                self.finish(channel.session.last)
                raise
            if channel.session.last:
                self.finish(True)
        finally:
            channel.release()
        return result

    cdef int finish(self, bint complete) except -1:
        self.over = True
        if not complete:
            if not self.channel.closed:
                self.channel.close("A stream of replies was left before its end.")
                self.channel.left = True
        self.channel.streaming = False
        return 0

    def close(self):
        """Leave the stream. Before its end this closes the connection."""
        if self.started and not self.over:
            self.finish(False)
        self.over = True

    def __del__(self):
        self.close()


cdef class RemoteMethod:
    """A method of a service, to be called like one of an object.

    Parameters go in by position or by name. _more=True returns a ReplyStream, _oneway=True sends the call
    and returns None at once, _upgrade=True returns the result and the socket, which speaks another protocol
    from then on. _descriptors is a Descriptors, for file descriptors that go with the call and come with each
    reply.
    """

    cdef Channel channel
    cdef CallPlan plan
    cdef bint namespaced
    cdef str short_name
    cdef str documentation

    def __init__(
        self,
        Channel channel not None,
        CallPlan plan not None,
        bint namespaced,
        str name not None,
        str doc not None,
    ):
        self.channel = channel
        self.plan = plan
        self.namespaced = namespaced
        self.short_name = name
        self.documentation = doc

    @property
    def __name__(self):
        return self.short_name

    @property
    def __doc__(self):
        return self.documentation

    def __repr__(self):
        return f"<method {self.plan.name} of a Varlink service>"

    def __call__(self, *args, **kwargs):
        cdef bint oneway = False
        cdef Descriptors descriptors = None
        if kwargs:
            oneway = kwargs.pop("_oneway", False)
            descriptors = kwargs.pop("_descriptors", None)
            if kwargs.pop("_more", False):
                return ReplyStream(
                    self.channel,
                    self.plan,
                    self.plan.parameters(args, kwargs),
                    self.namespaced,
                    descriptors,
                )
            if kwargs.pop("_upgrade", False):
                return self.channel.upgrade(self.plan, args, kwargs, self.namespaced)
        return self.channel.call(self.plan, args, kwargs, oneway, self.namespaced, descriptors)
