# cython: language_level=3str
"""Calls that are awaited, and streams of replies that are read by tasks.

Both are coroutines that are written out: one object for a call, which is sent when it is first awaited, and
goes on when its reply has been taken. What it comes to is returned to whoever awaits it (am_send): raised, as
StopIteration is, each call would cost an exception and its traceback.
"""

from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF
from libc.stdint cimport int64_t

import asyncio
import warnings
from collections.abc import AsyncIterator, Coroutine

from fastvarlink._core.call cimport CallPlan
from fastvarlink._core.control cimport Descriptors
from fastvarlink._core.countdown cimport now
from fastvarlink._core.deadline cimport deadline_in, exceeded, is_past, span_of
from fastvarlink._core.message cimport MORE, ONEWAY, UPGRADE
from fastvarlink._core.taskchannel cimport Outstanding, TaskChannel
from fastvarlink.error import ConnectionBusy

cdef extern from "Python.h":
    ctypedef enum PySendResult:
        PYGEN_RETURN
        PYGEN_ERROR
        PYGEN_NEXT
    ctypedef PySendResult (*sendfunc)(PyObject *coroutine, PyObject *value, PyObject **result)
    ctypedef struct PyAsyncMethods:
        sendfunc am_send
    ctypedef struct PyTypeObject:
        PyAsyncMethods *tp_as_async

cdef str CALL_GIVEN_UP = "A call on it was given up before its reply came."
cdef str STREAM_LEFT = "A stream of replies was left before its end."


cdef object timer_for(object loop, int64_t due, object function):
    """Has the loop call it when the time has come; None if it has."""
    cdef int64_t left = due - now()
    # uvloop counts milliseconds, and comes up to two of them too early. It is asked again then.
    return loop.call_later(max(left / 1e6, 0.001), function) if left > 0 else None


cdef object given(object value, Progress progress):
    """What a step has brought, as a coroutine's methods give it."""
    if progress == DONE:
        raise StopIteration(value)
    return value


cdef class PendingCall(Outstanding):
    """One call. carrier.channel is what it is sent on, carrier.ready(method, timeout) awaits that it can be.

    With upgrade, what it comes to is the result and the socket, which has left Varlink.
    """

    def __init__(
        self,
        carrier,
        CallPlan plan not None,
        bytes parameters,
        bint namespaced,
        bint oneway,
        timeout,
        Descriptors descriptors=None,
        bint upgrade=False,
    ):
        self.carrier = carrier
        self.plan = plan
        self.parameters = None if parameters == b"{}" else parameters
        self.namespaced = namespaced
        self.flags = (ONEWAY if oneway else 0) | (UPGRADE if upgrade else 0)
        self.timeout = timeout
        self.descriptors = descriptors

    def send(self, value):
        """As of a coroutine."""
        return given(self.step(None), self.progress)

    def throw(self, kind, value=None, traceback=None):
        """As of a coroutine."""
        thrown = kind if value is None else value
        return given(self.step(thrown() if isinstance(thrown, type) else thrown), self.progress)

    def close(self):
        """As of a coroutine: the call is given up."""
        if self.progress == DONE:
            return
        try:
            self.step(GeneratorExit())
        except GeneratorExit:
            pass

    def __await__(self):
        if self.progress != UNSENT:
            raise RuntimeError(f"This call of {self.plan.name} has been awaited already: make another one.")
        return self

    def __iter__(self):
        return self

    def __next__(self):
        return given(self.step(None), self.progress)

    def __del__(self):
        if self.progress == UNSENT and self.plan is not None:
            warnings.warn(
                f"A call of {self.plan.name} was never awaited, so it was not sent.", RuntimeWarning, 2
            )

    def __repr__(self):
        return f"<call of {self.plan.name}>"

    cdef object step(self, object thrown):
        cdef TaskChannel channel
        cdef bint ready
        try:
            if self.progress == DONE:
                raise RuntimeError(f"This call of {self.plan.name} is over.")
            if self.progress == UNSENT:
                if thrown is not None:
                    raise thrown
                channel = self.carrier.channel
                ready = channel.is_ready()
                # The time it takes to get there counts.
                self.start_timer(channel.loop)
                if ready:
                    self.send_now()
                else:
                    self.inner = self.carrier.ready(self.plan.name, self.timeout).__await__()
                    self.progress = CONNECTING
            if self.progress == CONNECTING:
                try:
                    return self.inner.send(None) if thrown is None else self.inner.throw(thrown)
                except StopIteration:
                    self.inner = thrown = None
                self.send_now()
            if not self.over:
                if thrown is None:
                    return self.wait(self.channel.loop)
                self.channel.abandon(self, CALL_GIVEN_UP)
            if thrown is not None:
                raise thrown
            self.check()
            result, self.result = self.result, None
            return self.come_to(result)
        except BaseException:
            self.cease()
            raise

    cdef int send_now(self) except -1:
        if is_past(self.deadline.due):
            raise exceeded(self.plan.name, "sent", self.deadline)
        self.channel = self.carrier.channel
        self.progress = SENT
        self.channel.send(self, self.plan, self.parameters, self.flags, self.descriptors)
        return 0

    cdef int start_timer(self, object loop) except -1:
        if self.timeout is not None:
            self.deadline = deadline_in(span_of(self.timeout, 0))
            self.timer = timer_for(loop, self.deadline.due, self.run_out) or loop.call_soon(self.run_out)
        return 0

    cdef object come_to(self, object value):
        self.cease()
        return value

    cdef int cease(self) except -1:
        self.progress = DONE
        timer, self.timer = self.timer, None
        if timer is not None:
            timer.cancel()
        if self.flags & UPGRADE and self.result is not None:
            # It was cancelled with its reply there.
            self.result[1].close()
        return 0

    def run_out(self):
        """The time is over, or nearly so."""
        self.timer = timer_for(self.carrier.channel.loop, self.deadline.due, self.run_out)
        # Where it is not sent yet it will not be.
        if self.timer is None and self.progress == SENT and not self.over:
            self.failure = exceeded(
                self.plan.name, "written" if self.flags & ONEWAY else "answered", self.deadline
            )
            self.channel.abandon(self, CALL_GIVEN_UP)
            self.end()

    cdef int answered(self, TaskChannel channel) except -1:
        if self.descriptors is not None:
            # Those of the reply before are closed, if nobody has taken them.
            self.descriptors.received = channel.session.received
        channel.session.received = None
        try:
            result = self.plan.read(channel.session.message, self.namespaced)
            self.result = (result, channel.detach()) if self.flags & UPGRADE else result
        except Exception as failure:
            self.failure = failure
            if self.flags & UPGRADE:
                channel.stay()
        return self.end()


cdef class TaskStream:
    """The replies to one call with ``more``, as they arrive. Also an asynchronous context manager.

    The call is sent when the first reply is asked for. Leaving the stream before its end closes the
    connection, as the protocol has no other way to stop it; an unread stream that is dropped does the
    same.
    """

    def __init__(
        self,
        carrier,
        CallPlan plan not None,
        bytes parameters,
        bint namespaced,
        timeout,
        Descriptors descriptors=None,
    ):
        self.call = Outstanding.__new__(Outstanding)
        self.call.more = True
        self.carrier = carrier
        self.plan = plan
        self.parameters = None if parameters == b"{}" else parameters
        self.namespaced = namespaced
        self.timeout = timeout
        self.descriptors = descriptors

    def __aiter__(self):
        return self

    def __anext__(self):
        cdef NextReply reply = NextReply.__new__(NextReply)
        reply.stream = self
        return reply

    async def __aenter__(self):
        return self

    async def __aexit__(self, *exception):
        await self.aclose()

    async def aclose(self):
        """Leave the stream. Before its end this closes the connection."""
        self.ended = True
        if self.channel is not None:
            self.channel.abandon(self.call, STREAM_LEFT)

    def __del__(self):
        if self.channel is not None and not self.call.over and not self.call.abandoned:
            self.channel.forsake(STREAM_LEFT)


cdef class NextReply:
    """One reply of a stream."""

    def send(self, value):
        """As of a coroutine."""
        return given(self.step(None), self.progress)

    def throw(self, kind, value=None, traceback=None):
        """As of a coroutine."""
        thrown = kind if value is None else value
        return given(self.step(thrown() if isinstance(thrown, type) else thrown), self.progress)

    def close(self):
        """As of a coroutine: the stream is left, if its reply was being waited for."""
        if self.progress != UNSENT and self.progress != DONE:
            try:
                self.step(GeneratorExit())
            except GeneratorExit:
                pass

    def __await__(self):
        return self

    def __iter__(self):
        return self

    def __next__(self):
        return given(self.step(None), self.progress)

    cdef object step(self, object thrown):
        cdef TaskStream stream = self.stream
        cdef TaskChannel channel = stream.channel
        cdef bint ready
        if self.progress == DONE:
            raise RuntimeError("This reply has been awaited already: ask for the next one.")
        if self.progress == UNSENT:
            if thrown is not None:
                raise thrown
            if stream.ended:
                self.progress = DONE
                raise StopAsyncIteration
            if stream.busy:
                raise ConnectionBusy("Another task is reading this stream of replies.")
            stream.busy = True
            self.progress = SENT if channel is not None else CONNECTING
        try:
            if self.progress == CONNECTING:
                if self.inner is None:
                    channel = stream.carrier.channel
                    ready = channel.is_ready()
                    # The time it takes to get there counts.
                    self.start_timer(channel.loop)
                    if not ready:
                        self.inner = stream.carrier.ready(stream.plan.name, stream.timeout).__await__()
                if self.inner is not None:
                    try:
                        return self.inner.send(None) if thrown is None else self.inner.throw(thrown)
                    except StopIteration:
                        self.inner = thrown = None
                self.send_now()
                channel = stream.channel
            if thrown is not None:
                raise thrown
            if channel.take_for(stream.call):
                value = self.take()
                self.cease()
                return value
            stream.call.reader = asyncio.current_task()
            if self.timer is None:
                self.start_timer(channel.loop)
            return stream.call.wait(channel.loop)
        except BaseException:
            self.cease()
            stream.ended = True
            if stream.channel is not None:
                stream.channel.abandon(stream.call, STREAM_LEFT)
            raise

    cdef int send_now(self) except -1:
        cdef TaskStream stream = self.stream
        cdef TaskChannel channel = stream.carrier.channel
        if stream.ended:
            # aclose() came in between.
            raise StopAsyncIteration
        if is_past(self.deadline.due):
            raise exceeded(stream.plan.name, "sent", self.deadline)
        channel.send(stream.call, stream.plan, stream.parameters, MORE, stream.descriptors)
        stream.channel = channel
        self.progress = SENT
        return 0

    cdef int start_timer(self, object loop) except -1:
        if self.stream.timeout is not None:
            self.deadline = deadline_in(span_of(self.stream.timeout, 0))
            self.timer = timer_for(loop, self.deadline.due, self.run_out) or loop.call_soon(self.run_out)
        return 0

    cdef object take(self):
        """What the reply that the session has taken brings. Raises what an error reply says."""
        cdef TaskStream stream = self.stream
        cdef TaskChannel channel = stream.channel
        cdef bint last = channel.session.last
        # It is what the task reads that a call of its own would wait for.
        stream.call.reader = asyncio.current_task()
        if stream.descriptors is not None:
            stream.descriptors.received = channel.session.received
        channel.session.received = None
        try:
            return stream.plan.read(channel.session.message, stream.namespaced)
        finally:
            if last:
                stream.ended = True
                channel.finish(stream.call)

    cdef int cease(self) except -1:
        self.progress = DONE
        self.stream.busy = False
        timer, self.timer = self.timer, None
        if timer is not None:
            timer.cancel()
        return 0

    def run_out(self):
        """The time is over, or nearly so."""
        cdef TaskStream stream = self.stream
        self.timer = timer_for(stream.carrier.channel.loop, self.deadline.due, self.run_out)
        if self.timer is None and self.progress == SENT and not (stream.call.over or stream.call.abandoned):
            stream.call.failure = exceeded(stream.plan.name, "answered", self.deadline)
            stream.channel.abandon(stream.call, STREAM_LEFT)


cdef PySendResult send_call(PendingCall call, object _value, PyObject **result) except PYGEN_ERROR:
    result[0] = NULL
    value = call.step(None)
    Py_INCREF(value)
    result[0] = <PyObject *> value
    return PYGEN_RETURN if call.progress == DONE else PYGEN_NEXT


cdef PySendResult send_next(NextReply reply, object _value, PyObject **result) except PYGEN_ERROR:
    result[0] = NULL
    value = reply.step(None)
    Py_INCREF(value)
    result[0] = <PyObject *> value
    return PYGEN_RETURN if reply.progress == DONE else PYGEN_NEXT


(<PyTypeObject *> PendingCall).tp_as_async.am_send = <sendfunc> send_call
(<PyTypeObject *> NextReply).tp_as_async.am_send = <sendfunc> send_next

Coroutine.register(PendingCall)
Coroutine.register(NextReply)
AsyncIterator.register(TaskStream)
