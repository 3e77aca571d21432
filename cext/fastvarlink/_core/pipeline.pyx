# cython: language_level=3str
"""Many calls in flight on one connection.

Calls are queued, and written together: when a reply is asked for, at the end, or when a window of them is
full. Replies are taken meanwhile, until half of the window is free again, so that neither side ever waits for
the other to read. The thread inside is the owner of the channel, as everywhere.
"""

from fastvarlink._core.buffer cimport stored
from fastvarlink._core.call cimport CallPlan
from fastvarlink._core.channel cimport Channel
from fastvarlink._core.control cimport Descriptors
from fastvarlink._core.deadline cimport deadline_in, exceeded, seconds_left
from fastvarlink._core.message cimport MORE, ONEWAY, UPGRADE, Message
from fastvarlink._core.remote cimport Carrier
from fastvarlink._core.session cimport ClientSession
from fastvarlink.error import (
    ConnectionBusy,
    ConnectionLost,
    DeadlineExceeded,
    ProtocolError,
)

cdef extern from "pythread.h" nogil:
    unsigned long PyThread_get_thread_ident()

cdef enum:
    WINDOW = 128  # calls that wait for their replies at most
    UNWRITTEN = 65536  # bytes that are queued at most before some are written


cdef class PendingReply:
    """What comes of a call in a pipeline."""

    @property
    def done(self):
        """True once result() returns, or raises, without waiting."""
        return self.carrier is None or self.carrier.fault is not None or self.carrier.is_settled(self)

    def result(self):
        """The result of the call, for which it waits; with _more the list of all results, oneway None.

        Raises what the call would have raised. ConnectionLost if the pipeline ended before the reply came,
        DeadlineExceeded if its time was over.
        """
        if self.carrier is not None:
            self.carrier.settle(self)
        if self.failure is not None:
            raise self.failure.with_traceback(None)
        return self.outcome

    def __repr__(self):
        return f"<{'reply' if self.done else 'pending reply'} to {self.plan.name}>"

    cdef int take(self, Message message) except -1:
        try:
            result = self.plan.read(message, self.namespaced)
        except Exception as failure:
            # The first counts, where more replies follow.
            if self.failure is None:
                self.failure = failure
            return 0
        if self.more:
            self.outcome.append(result)
        else:
            self.outcome = result
        return 0


cdef class PipelineCarrier(Carrier):
    """Carries calls over one new connection without waiting for their replies.

    connect() returns the connection; with a timeout it is passed the seconds that are left. timeout is for
    all calls together, from here on. limits, strict and busy_poll are those of a Channel.
    """

    def __init__(self, connect, limits, bint strict=True, timeout=None, double busy_poll=0):
        super().__init__(timeout)
        self.deadline = deadline_in(self.span)
        connection = connect(seconds_left(self.deadline)) if self.span else connect()
        try:
            self.channel = Channel(connection, limits, None, strict, busy_poll)
        except BaseException:
            connection.close()
            raise
        self.channel.duplex = True
        self.pending = []
        self.fresh = True

    def finish(self):
        """Write what is left, wait for all replies, and close the connection.

        What becomes of the calls, their PendingReplys tell; DeadlineExceeded is raised here, too.
        """
        if self.fault is not None:
            return
        self.enter()
        try:
            self.advance(None, 0, 0)
        except DeadlineExceeded:
            raise
        except (ConnectionLost, ProtocolError, TimeoutError):
            pass
        finally:
            self.channel.release()
            self.stop(ConnectionLost, "The pipeline is over.")

    def abandon(self):
        """Close the connection. What has not been written is not sent."""
        self.stop(ConnectionLost, "The pipeline has been left by an exception.")

    cdef object perform(
        self, CallPlan plan, tuple arguments, dict keywords, bint namespaced, int flags,
        Descriptors descriptors, object timeout
    ):
        cdef PendingReply reply
        cdef ClientSession session = self.channel.session
        cdef size_t before
        if flags == UPGRADE or descriptors is not None or timeout is not ...:
            raise TypeError(
                f"{plan.name} was called in a pipeline, where neither _upgrade nor _descriptors nor a "
                f"_timeout of its own is possible: call it by a handler of the client."
            )
        self.enter()
        try:
            parameters = plan.encode(arguments, keywords)
            reply = PendingReply.__new__(PendingReply)
            reply.carrier = self
            reply.plan = plan
            reply.namespaced = namespaced
            if flags == MORE:
                reply.more = True
                reply.outcome = []
            before = stored(session.writer.buffer)
            if flags == ONEWAY:
                session.call(plan.wire_name, parameters, flags)
                reply.end = self.queued + stored(session.writer.buffer) - before
            else:
                self.pending.append(reply)
                try:
                    session.call(plan.wire_name, parameters, flags)
                except BaseException:
                    self.pending.pop()
                    raise
            self.queued += stored(session.writer.buffer) - before
            if len(self.pending) - self.head >= WINDOW or stored(session.writer.buffer) >= UNWRITTEN:
                self.advance(None, WINDOW // 2, UNWRITTEN // 2)
            return reply
        finally:
            self.channel.release()

    cdef object answered(self, CallPlan plan, object result, int flags):
        cdef PendingReply reply = PendingReply.__new__(PendingReply)
        reply.plan = plan
        reply.outcome = [result] if flags == MORE else None if flags == ONEWAY else result
        return reply

    cdef int enter(self) except -1:
        cdef Channel channel = self.channel
        channel.check_process()
        if channel.owner != 0:
            raise ConnectionBusy("This pipeline is in use: it belongs to one thread at a time.")
        if self.fault is not None:
            raise ConnectionLost(f"The pipeline takes no more calls. {self.why}")
        channel.owner = PyThread_get_thread_ident()
        channel.deadline = self.deadline
        return 0

    cdef bint is_settled(self, PendingReply reply) noexcept:
        if reply.end:
            return self.queued - stored(self.channel.session.writer.buffer) >= reply.end
        return reply.carrier is None

    cdef int settle(self, PendingReply reply) except -1:
        if self.is_settled(reply):
            return 0
        if self.fault is None:
            self.enter()
            try:
                self.advance(reply, 0, 0)
            except (ConnectionLost, ProtocolError, TimeoutError):
                pass
            finally:
                self.channel.release()
        if not self.is_settled(reply):
            raise self.failure_of(reply.plan)
        return 0

    cdef int advance(self, PendingReply wanted, Py_ssize_t waiting, size_t unwritten) except -1:
        cdef Channel channel = self.channel
        cdef Py_ssize_t left
        channel.unfinished = 0
        try:
            while True:
                self.take_arrived()
                left = len(self.pending) - self.head
                if wanted is not None:
                    if self.is_settled(wanted):
                        return 0
                elif left <= waiting and stored(channel.session.writer.buffer) <= unwritten:
                    return 0
                if self.fresh:
                    channel.check_quiet()
                    self.fresh = left == 0
                first = (<PendingReply> self.pending[self.head]).plan if left else None
                try:
                    channel.transfer(first, left > 0)
                except ConnectionLost:
                    # What came before that are answers all the same.
                    self.take_arrived()
                    raise
        except (ConnectionLost, ProtocolError, TimeoutError) as failure:
            self.stop(type(failure), channel.why_closed)
            raise
        except BaseException:
            self.stop(ConnectionLost, "It was interrupted.")
            raise

    cdef int take_arrived(self) except -1:
        cdef ClientSession session = self.channel.session
        cdef PendingReply reply
        while self.head < len(self.pending) and self.channel.arrived():
            reply = self.pending[self.head]
            reply.take(session.message)
            if not session.last:
                continue
            reply.carrier = None
            self.pending[self.head] = None
            self.head += 1
            if self.head == len(self.pending):
                self.fresh = True
                self.pending.clear()
                self.head = 0
            elif self.head == WINDOW:
                del self.pending[:WINDOW]
                self.head = 0
        if stored(session.reader.buffer) == 0:
            session.reader.buffer.release()
        return 0

    cdef int stop(self, object fault, str why) except -1:
        if self.fault is None:
            self.fault = fault
            self.why = why
        self.channel.fail(self.why)
        for reply in self.pending[self.head:]:
            (<PendingReply> reply).plan.lost(self.failure_of((<PendingReply> reply).plan))
        self.pending.clear()
        self.head = 0
        return 0

    cdef object failure_of(self, CallPlan plan):
        if self.fault is DeadlineExceeded:
            return exceeded(plan.name, "answered", self.deadline)
        return self.fault(f"{plan.name} was not answered. {self.why}")
