# cython: language_level=3str
"""The client's end of one connection in an event loop, shared between tasks.

Calls are answered in their order, so any number may wait. The first is written at once, those that are made
while others wait are written together when the loop comes to it. A reply to a call is read as soon as it
arrives; the replies of a stream stay in the session until its reader asks for them, and when many wait there,
nothing more is read.

Replies carry nothing that tells them apart (rules R6, R7). When a call is given up, its reply is dropped when
it comes, for the sake of the others that wait; no call is made behind it meanwhile. When nobody else waits,
and when a stream is left, the connection is closed, which also tells the service.
"""

from collections import deque
from libc.string cimport strerror

import socket
from asyncio import SelectorEventLoop, current_task

from fastvarlink._core.buffer cimport stored
from fastvarlink._core.call cimport CallPlan
from fastvarlink._core.control cimport Descriptors
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
from fastvarlink._core.session cimport MESSAGE, VIOLATION, ClientSession, SessionEvent
from fastvarlink.error import ConnectionBusy, ConnectionLost, ForkDetected, ProtocolError

cdef extern from "check.h" nogil:
    void CHECK(bint what)

cdef enum:
    AHEAD = 65536  # bytes that may wait for the reader of a stream before no more are read

cdef str CLOSED_HERE = "It has been closed by this program."
cdef str CLOSED_THERE = "The service has closed it."
cdef str MISPLACED = "The service has sent file descriptors in the middle of a message, or too many."
cdef str UNFINISHED = "The service has begun a reply and not finished it within the time limit."
cdef str UNASKED = "The peer sent a message that answers no call."
cdef str ERROR_HERE = "An error of this program came between a call and its reply."


cdef class Outstanding:
    cdef int answered(self, TaskChannel channel) except -1:
        raise NotImplementedError

    cdef int fail(self, object failure) except -1:
        if self.failure is None:
            self.failure = failure
        return self.end()

    cdef int end(self) except -1:
        self.over = True
        self.wake()
        return 0

    cdef bint wake(self) except -1:
        if self.arrived is None or self.arrived.done():
            return False
        self.arrived.set_result(None)
        return True

    cdef int check(self) except -1:
        failure, self.failure = self.failure, None
        try:
            if failure is not None:
                raise failure
        finally:
            # Its traceback leads here.
            failure = None
        return 0

    cdef object wait(self, object loop):
        self.arrived = loop.create_future()
        self.arrived._asyncio_future_blocking = True
        return self.arrived


cdef class TaskChannel:
    """The client's end of a connected socket, in the running event loop; the channel owns the socket.

    limits are the Limits of messages, strict says whether the service must keep to every rule.
    """

    def __init__(self, connection, limits, bint strict, loop):
        connection.setblocking(False)
        self.connection = connection
        self.loop = loop
        # uvloop tells of what has come and of an error behind it at once, and then of nothing any more.
        self.tells_again = isinstance(loop, SelectorEventLoop)
        self.process = process_number()
        self.frame_timeout = limits.frame_timeout
        self.session = ClientSession(limits, strict)
        self.link = Link(connection.fileno(), self.session.reader, self.session.writer)
        self.waiting = deque()
        self.writing = []
        self.writers = []
        self.begin_reading()

    @property
    def is_closed(self):
        """True once the connection cannot be used any more."""
        return self.closed

    @property
    def is_left(self):
        """True if it takes no more calls for what was done here: a new connection is to be made."""
        return self.left or self.dropped > 0 or self.retired or self.leaving

    def check(self):
        """Raise what keeps the connection from being used."""
        self.check_open()
        if self.leaving:
            raise ConnectionBusy(
                "An upgrade has been asked for on this connection, and there is no other one: wait for its "
                "reply."
            )

    cdef int check_open(self) except -1:
        if self.process != process_number():
            raise ForkDetected(
                "This connection belongs to the process that this one was forked from, which would get the "
                "reply: open one of its own."
            )
        if self.why is not None:
            raise ConnectionLost(f"The connection is closed. {self.why}")
        return 0

    cdef bint is_ready(self) except -1:
        if self.process != process_number():
            self.check_open()
        return not (self.why is not None or self.blocked or self.dropped or self.retired or self.leaving)

    # ---- calls

    cdef int send(self, Outstanding call, CallPlan plan, bytes parameters, int flags,
                  Descriptors descriptors) except -1:
        cdef Outstanding head
        cdef bint alone = not self.waiting
        outgoing = None
        if not alone:
            head = self.waiting[0]
            if head.more and not flags & ONEWAY and head.reader is current_task():
                raise ConnectionBusy(
                    "This task is reading a stream of replies on this connection, and the reply to another "
                    "call comes behind it: read it to its end first, or open a second connection."
                )
        elif stored(self.session.reader.buffer) or self.link.probe() != LINK_OK:
            # The end, or what answers no call and would be taken for the reply.
            self.read()
            self.check_open()
        if descriptors is not None:
            if self.connection.family != socket.AF_UNIX:
                raise ValueError("File descriptors can only be passed over a unix socket, and this is none.")
            if not self.link.care & CARE_RIGHTS:
                self.link.care |= CARE_RIGHTS
                accept_descriptors(self.connection, True)
            outgoing = descriptors.let_go()
        self.session.call(plan.wire_name, parameters, flags, outgoing)
        if not flags & ONEWAY:
            self.waiting.append(call)
            self.live += 1
        if flags & UPGRADE:
            # Nothing is read beyond the reply (rule C12).
            self.link.care |= CARE_FRAMES
            self.leaving = True
        if alone or flags & ONEWAY:
            self.flush()
        elif not self.flushing:
            self.flushing = True
            self.loop.call_soon(self.flush_gathered)
        if flags & ONEWAY:
            self.check_open()
            if self.blocked:
                self.writing.append(call)
            else:
                call.over = True
        return 0

    def flush_gathered(self):
        """Write the calls that were made since the loop came by."""
        self.flushing = False
        if not self.closed and not self.blocked:
            self.flush()

    def writable(self):
        """Write what could not be written before."""
        self.flush()

    cdef int flush(self) except -1:
        try:
            return self.write()
        except BaseException:
            self.fail(ConnectionLost, ERROR_HERE)
            raise

    cdef int write(self) except -1:
        cdef Outstanding call
        cdef LinkStatus status = self.link.flush()
        if status == LINK_BLOCKED:
            if not self.blocked:
                self.blocked = True
                self.loop.add_writer(self.link.fd, self.writable)
            return 0
        self.stop_writing()
        self.session.writer.buffer.release()
        if status != LINK_OK:
            # What it has answered before is there, and is given out.
            while not self.closed and self.link.fill() == LINK_OK:
                self.deliver()
            self.end(status)
        writing, self.writing = self.writing, []
        for call in writing:
            if status == LINK_OK:
                call.end()
            else:
                call.fail(ConnectionLost(f"The connection is closed. {self.why}"))
        self.wake_writers()
        return self.settle()

    cdef int wake_writers(self) except -1:
        writers, self.writers = self.writers, []
        for writer in writers:
            if not writer.done():
                writer.set_result(None)
        return 0

    def written(self):
        """A future: there may be room for another call, or none is made on this connection any more."""
        writer = self.loop.create_future()
        if self.blocked:
            self.writers.append(writer)
        else:
            writer.set_result(None)
        return writer

    cdef int abandon(self, Outstanding call, str why) except -1:
        if call.over or call.abandoned:
            return 0
        call.abandoned = True
        if call in self.writing:
            # What has been written of it calls for the rest.
            self.writing.remove(call)
            self.retired = True
        else:
            self.live -= 1
            self.dropped += 1
            # If that was an upgrade, nobody knows what comes behind its reply.
            self.retired = self.retired or self.leaving
        if call.more or not (self.live or self.writing):
            if self.why is None:
                self.left = True
            return self.fail(ConnectionLost, why)
        # Those that wait to be sent take a new connection.
        return self.wake_writers()

    def forsake(self, str why not None):
        """Close the connection from a finalizer, which may run at any moment and in any thread."""
        if self.closed or self.process != process_number():
            return
        if self.why is None:
            self.why = why
            self.left = True
        try:
            self.loop.call_soon_threadsafe(self.close_for, why)
        except RuntimeError:
            # The loop is closed.
            self.connection.close()

    def close_for(self, str why not None):
        """Close the connection; calls that wait fail."""
        self.fail(ConnectionLost, why)

    def notice(self):
        """See what has come while nothing was asked for: the end, most likely."""
        if not self.waiting and not self.closed and not self.flushing:
            if stored(self.session.reader.buffer) or self.link.probe() != LINK_OK:
                self.read()

    def retire(self):
        """Make no more calls: close the connection as soon as all that are waited for are answered."""
        self.retired = True
        self.wake_writers()
        self.settle()

    def close(self):
        """Close the connection. Calls that wait for a reply fail."""
        self.left = self.retired = self.leaving = False
        self.dropped = 0
        self.fail(ConnectionLost, CLOSED_HERE)

    def detach(self):
        """The socket, which leaves Varlink: no byte behind the last reply has been read (rule C12)."""
        connection, self.connection = self.connection, None
        self.stop_reading()
        self.stop_writing()
        self.wake_writers()
        self.left = self.closed = True
        self.why = "It has left Varlink by an upgrade."
        return connection

    cdef int stay(self) except -1:
        self.leaving = False
        self.link.care &= ~CARE_FRAMES
        return 0

    # ---- replies

    def readable(self):
        """Read what has come, and give it out."""
        cdef bint more = self.read()
        while more and self.reading and not self.tells_again:
            more = self.read()

    cdef bint read(self) except -1:
        cdef LinkStatus status
        if self.closed:
            return False
        try:
            status = self.link.fill()
            self.deliver()
            if status != LINK_OK and status != LINK_BLOCKED:
                self.end(status)
        except BaseException:
            # Some reply may be lost, and the next would be taken for it.
            self.fail(ConnectionLost, ERROR_HERE)
            raise
        return status == LINK_OK and not self.closed

    cdef bint take(self) except -1:
        """Takes the next reply from the session. What cannot be one, and the end, close the connection."""
        cdef SessionEvent event
        if self.closed:
            return False
        event = self.session.next_reply()
        if event == MESSAGE:
            if self.clock is not None:
                self.stop_clock()
            return True
        if event == VIOLATION:
            self.fail(ProtocolError, self.session.complaint())
            return False
        if stored(self.session.reader.buffer) == 0:
            self.session.reader.buffer.release()
        elif self.session.waiting() == 0:
            # It has only begun, and would end as the reply to the next call.
            self.fail(ProtocolError, UNASKED)
            return False
        elif self.clock is None and self.frame_timeout is not None:
            self.clock = self.loop.call_later(self.frame_timeout, self.run_out)
        if self.why is not None:
            self.fail(ConnectionLost, self.why)
        elif not self.reading:
            self.begin_reading()
        return False

    cdef int deliver(self) except -1:
        cdef Outstanding head
        while True:
            head = self.waiting[0] if self.waiting else None
            if head is not None and head.more:
                if not head.wake() and stored(self.session.reader.buffer) > AHEAD and self.reading:
                    self.stop_reading()
                return 0
            if not self.take():
                return 0
            self.waiting.popleft()
            if head.abandoned:
                head.over = True
                self.dropped -= 1
                self.session.received = None
            else:
                self.live -= 1
                try:
                    head.answered(self)
                except BaseException:
                    head.fail(ConnectionLost(ERROR_HERE))
                    raise
            self.settle()

    cdef int settle(self) except -1:
        if self.retired and not (self.closed or self.live or self.writing):
            self.fail(ConnectionLost, CLOSED_HERE)
        return 0

    cdef bint take_for(self, Outstanding stream) except -1:
        if self.waiting and self.waiting[0] is stream and self.take():
            return True
        stream.check()
        return False

    cdef int finish(self, Outstanding stream) except -1:
        stream.over = True
        self.live -= 1
        self.waiting.popleft()
        self.settle()
        if not self.closed:
            self.deliver()
        return 0

    # ---- the end

    def run_out(self):
        """A reply has begun, and not come to its end in time."""
        self.clock = None
        self.fail(TimeoutError, UNFINISHED)

    cdef int stop_clock(self) except -1:
        clock, self.clock = self.clock, None
        clock.cancel()
        return 0

    cdef int begin_reading(self) except -1:
        self.loop.add_reader(self.link.fd, self.readable)
        self.reading = True
        return 0

    cdef int stop_reading(self) except -1:
        if self.reading:
            self.reading = False
            # In a fork the loop's epoll is that of the parent, too.
            if self.process == process_number():
                self.loop.remove_reader(self.link.fd)
        return 0

    cdef int stop_writing(self) except -1:
        if self.blocked:
            self.blocked = False
            if self.process == process_number():
                self.loop.remove_writer(self.link.fd)
        return 0

    cdef int end(self, LinkStatus status) except -1:
        """Nothing more will come. What has come is still given out."""
        if self.closed:
            return 0
        if status == LINK_ASTRAY:
            return self.fail(ProtocolError, MISPLACED)
        if self.why is None:
            if status == LINK_END:
                self.why = CLOSED_THERE
            else:
                self.why = f"The system says: {strerror(self.link.error).decode()}."
            self.why = why_ended(self.connection) or self.why
        # Where a stream's replies are left, its reader finds the end.
        self.stop_reading()
        return self.deliver()

    cdef int fail(self, object kind, str why) except -1:
        """Closes the connection; calls that wait fail."""
        cdef Outstanding call
        if self.closed:
            return 0
        self.closed = True
        if self.why is None:
            self.why = why
        if self.clock is not None:
            self.stop_clock()
        self.stop_reading()
        self.stop_writing()
        self.session.writer.discard()
        self.session.reader.attached = None
        self.session.received = None
        self.connection.close()
        self.wake_writers()
        waiting, self.waiting = [*self.waiting, *self.writing], deque()
        self.writing = []
        for call in waiting:
            call.fail(kind(f"The connection is closed. {why}"))
        self.live = self.dropped = 0
        return 0
