# cython: language_level=3str
"""Calls that are awaited, and streams of replies that are read by tasks.

Both are coroutines that are written out: one object for a call, which is sent when it is first awaited, and
goes on when its reply has been taken. What it comes to is returned to whoever awaits it (am_send): raised, as
StopIteration is, each call would cost an exception and its traceback.
"""

from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF

import asyncio
import warnings
from collections.abc import AsyncIterator, Coroutine

from fastvarlink._core.call cimport CallPlan
from fastvarlink._core.control cimport Descriptors
from fastvarlink._core.link cimport CARE_FRAMES
from fastvarlink._core.message cimport MORE, ONEWAY, UPGRADE
from fastvarlink._core.taskchannel cimport Outstanding, TaskChannel
from fastvarlink.error import ConnectionBusy, DeadlineExceeded

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


cdef object given(object value, Progress progress):
    """What a step has brought, as a coroutine's methods give it."""
    if progress == DONE:
        raise StopIteration(value)
    return value


cdef object run_out_of(CallPlan plan, double seconds):
    return DeadlineExceeded(
        f"{plan.name} was not answered within {seconds:g} seconds.", plan.name, seconds
    )


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
        try:
            if self.progress == DONE:
                raise RuntimeError(f"This call of {self.plan.name} is over.")
            if self.progress == UNSENT:
                if thrown is not None:
                    raise thrown
                channel = self.carrier.channel
                if channel.is_ready():
                    return self.send_now()
                # The time it takes to get there counts.
                self.start_timer(channel)
                self.inner = self.carrier.ready(self.plan.name, self.timeout).__await__()
                self.progress = CONNECTING
            if self.progress == CONNECTING:
                try:
                    return self.inner.send(None) if thrown is None else self.inner.throw(thrown)
                except StopIteration:
                    self.inner = None
                return self.send_now()
            if self.progress == WRITING:
                if thrown is not None:
                    raise thrown
                self.check()
                self.channel.check_open()
                return self.come_to(None)
            if thrown is not None and not self.over:
                self.channel.abandon(self, CALL_GIVEN_UP)
            if thrown is not None:
                raise thrown
            self.check()
            return self.come_to(self.result)
        except BaseException:
            self.cease()
            raise

    cdef object send_now(self):
        cdef TaskChannel channel = self.carrier.channel
        self.channel = channel
        self.check()
        channel.send(self, self.plan, self.parameters, self.flags, self.descriptors)
        if self.flags & ONEWAY:
            self.progress = WRITING
            written = channel.written()
            if not written.done():
                self.start_timer(channel)
            else:
                channel.check_open()
                return self.come_to(None)
            self.arrived = written
            written._asyncio_future_blocking = True
            return written
        self.progress = SENT
        self.start_timer(channel)
        return self.wait(channel.loop)

    cdef int start_timer(self, TaskChannel channel) except -1:
        if self.timeout is not None and self.timer is None:
            self.timer = channel.loop.call_later(self.timeout, self.run_out)
        return 0

    cdef object come_to(self, object value):
        self.cease()
        return value

    cdef int cease(self) except -1:
        self.progress = DONE
        timer, self.timer = self.timer, None
        if timer is not None:
            timer.cancel()
        return 0

    def run_out(self):
        """The time is over."""
        if self.over:
            return
        # Where it is not sent yet it will not be.
        self.failure = run_out_of(self.plan, self.timeout)
        if self.progress == SENT:
            self.channel.abandon(self, CALL_GIVEN_UP)
            self.over = True
        self.wake()

    cdef int answered(self, TaskChannel channel) except -1:
        self.over = True
        if self.descriptors is not None:
            # Those of the reply before are closed, if nobody has taken them.
            self.descriptors.received = channel.session.received
        channel.session.received = None
        try:
            self.result = self.plan.read(channel.session.message, self.namespaced)
            if self.flags & UPGRADE:
                self.result = (self.result, channel.detach())
        except Exception as failure:
            self.failure = failure
            channel.link.care &= ~CARE_FRAMES
        self.wake()
        return 0


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
        if self.progress != UNSENT:
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
            self.progress = SENT
            if channel is None:
                self.progress = CONNECTING
        try:
            if self.progress == CONNECTING:
                channel = stream.carrier.channel
                if self.inner is None and not channel.is_ready():
                    self.inner = stream.carrier.ready(stream.plan.name, stream.timeout).__await__()
                if self.inner is not None:
                    try:
                        return self.inner.send(None) if thrown is None else self.inner.throw(thrown)
                    except StopIteration:
                        self.inner = None
                    channel = stream.carrier.channel
                channel.send(stream.call, stream.plan, stream.parameters, MORE, stream.descriptors)
                stream.channel = channel
                self.progress = SENT
                if stream.ended:
                    # aclose() came in between.
                    channel.abandon(stream.call, STREAM_LEFT)
            if thrown is not None:
                raise thrown
            if channel.take_for(stream.call):
                value = self.take()
                self.cease()
                return value
            stream.call.reader = asyncio.current_task()
            if stream.timeout is not None and self.timer is None:
                self.timer = channel.loop.call_later(stream.timeout, self.run_out)
            return stream.call.wait(channel.loop)
        except BaseException:
            self.cease()
            stream.ended = True
            if stream.channel is not None:
                stream.channel.abandon(stream.call, STREAM_LEFT)
            raise

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
        """The time is over."""
        cdef TaskStream stream = self.stream
        if not stream.call.over and not stream.call.abandoned:
            stream.call.failure = run_out_of(stream.plan, stream.timeout)
            stream.channel.abandon(stream.call, STREAM_LEFT)
            stream.call.wake()


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
