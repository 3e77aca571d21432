"""The client's end of one connection, in an event loop.

Tasks share a connection: each call waits for the replies of the calls before it. A reply to a call is read as
soon as it arrives. The replies of a stream stay in the session until its reader asks for them; when many wait
there, nothing more is received. When it is not known any more which reply would come next (a stream that was
left early, a call that was cancelled), the connection is closed: replies carry nothing that tells them apart
(rules R6, R7).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import socket
from collections import deque
from typing import Any, cast

from fastvarlink import address as addresses
from fastvarlink import unixpath
from fastvarlink._core.call import CallPlan
from fastvarlink._core.session import ClientSession
from fastvarlink.error import ConnectionBusy, ConnectionLost, ForkDetected, ProtocolError
from fastvarlink.limits import Limits
from fastvarlink.marks import mark

__all__ = ["STREAM_LEFT", "Call", "Connection", "connect"]

# Bytes that may wait for the reader of a stream before no more are received.
AHEAD = 64 << 10

CLOSED_HERE = "It has been closed by this program."
CLOSED_THERE = "The service has closed it."
CALL_GIVEN_UP = "A call on it was given up before its reply came."
UNFINISHED = "The service has begun a reply and not finished it within the time limit."
STREAM_LEFT = "A stream of replies was left before its end."


async def connect(address: addresses.Address, limits: Limits, strict: bool = True) -> Connection:
    """A new connection, to a service that may cost so much. OSError if nobody answers there."""
    loop = asyncio.get_running_loop()
    if isinstance(address, addresses.TCP):
        _, connection = await loop.create_connection(
            lambda: Connection(limits, strict), address.host, address.port
        )
        return connection
    endpoint = socket.socket(socket.AF_UNIX)
    try:
        endpoint.setblocking(False)
        # The loop's own way takes the refusal of a service that has too many connections to accept for
        # success. Nothing tells when there is room again.
        while not _connected(endpoint, address.sockaddr):
            await asyncio.sleep(0.01)
        mark(endpoint, "client")
        _, connection = await loop.create_unix_connection(lambda: Connection(limits, strict), sock=endpoint)
    except BaseException:
        endpoint.close()
        raise
    return connection


def _connected(endpoint: socket.socket, sockaddr: str) -> bool:
    try:
        unixpath.connect(endpoint, sockaddr)
    except BlockingIOError:
        return False
    return True


class Call:
    """A call, and what has become of it."""

    __slots__ = ("arrived", "failure", "more", "namespaced", "over", "plan", "reader", "result")

    def __init__(self, plan: CallPlan, more: bool, namespaced: bool) -> None:
        self.plan = plan
        self.more = more
        self.namespaced = namespaced
        self.over = False  # no more replies will come
        self.result: Any = None
        self.failure: Exception | None = None
        self.arrived: asyncio.Future[None] | None = None  # for the task that waits
        self.reader: asyncio.Task[Any] | None = None  # that asked for a reply of this stream last

    def answer(self, session: ClientSession) -> None:
        """Take the reply that the session has taken: the last one."""
        try:
            self.result = self.plan.answer(session, self.namespaced)
        except Exception as failure:
            self.failure = failure
        self.end()

    def end(self) -> None:
        self.over = True
        self.wake()

    def wake(self) -> bool:
        """Wake the task that waits. False if there is none, or it has been woken already."""
        if self.arrived is None or self.arrived.done():
            return False
        self.arrived.set_result(None)
        return True

    def check(self) -> None:
        """Raise, once, what has made the call fail."""
        failure, self.failure = self.failure, None
        try:
            if failure is not None:
                raise failure
        finally:
            # Its traceback leads here.
            failure = None


class Connection(asyncio.Protocol):
    """The client's end of a connected transport. connect() makes it."""

    def __init__(self, limits: Limits, strict: bool) -> None:
        self._loop = asyncio.get_running_loop()
        self._session = ClientSession(limits, strict)
        self._process = os.getpid()
        self._frame_timeout = limits.frame_timeout
        # Runs while a reply has begun and is not finished (rule F12).
        self._clock: asyncio.TimerHandle | None = None
        self._waiting: deque[Call] = deque()  # sent and not over, in their order
        self._unread = 0  # bytes received since the session had no more replies
        self._writable = asyncio.Event()
        self._writable.set()
        self._gone = asyncio.Event()
        self._why = ""  # no calls are sent any more
        self._closed = False
        #: Closed because a call or a stream was given up.
        self.left = False

    # ---- what the loop tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        # pause_writing() then means that not all of a call has been written.
        self._transport.set_write_buffer_limits(high=0)
        self._arrivals = select.poll()
        self._arrivals.register(transport.get_extra_info("socket").fileno(), select.POLLIN)

    def data_received(self, data: bytes) -> None:
        self._session.receive(data)
        self._unread += len(data)
        self._deliver()

    def eof_received(self) -> None:
        self._end(CLOSED_THERE)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(f"The system says: {getattr(exc, 'strerror', exc)}." if exc else CLOSED_THERE)
        self._gone.set()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    # ---- calls

    async def call(self, call: Call, parameters: bytes) -> Any:
        """Send a call that gets one reply, and return its result."""
        await self.send(call, parameters)
        call.arrived = self._loop.create_future()
        try:
            await call.arrived
        except BaseException:
            if not call.over:
                self.leave(CALL_GIVEN_UP)
            raise
        call.check()
        return call.result

    async def send_oneway(self, plan: CallPlan, parameters: bytes) -> None:
        """Send a call that gets no reply; return when it has been written."""
        await self._settle()
        plan.send(self._session, parameters, False, True)
        self._transport.write(self._session.data_to_send())
        await self._writable.wait()
        self._check_open()

    async def send(self, call: Call, parameters: bytes) -> None:
        """Send a call whose replies are waited for afterwards."""
        head = self._waiting[0] if self._waiting else None
        if head is not None and head.more and head.reader is asyncio.current_task():
            raise ConnectionBusy(
                "This task is reading a stream of replies on this connection, and the reply to another call "
                "comes behind it: read it to its end first, or open a second connection."
            )
        await self._settle()
        call.plan.send(self._session, parameters, call.more, False)
        self._waiting.append(call)
        self._transport.write(self._session.data_to_send())

    async def _settle(self) -> None:
        """Wait until a call can be sent."""
        while True:
            self._check_open()
            if not self._writable.is_set():
                await self._writable.wait()
            elif not self._waiting and self._arrivals.poll(0):
                # The end, or what answers no call and would be taken for the reply. The loop is to see it.
                await asyncio.sleep(0)
            else:
                return

    def _check_open(self) -> None:
        if os.getpid() != self._process:
            raise ForkDetected(
                "This connection belongs to the process that this one was forked from, which would get the "
                "reply: open one of its own."
            )
        if self._why:
            raise ConnectionLost(f"The connection is closed. {self._why}")

    async def next_reply(self, call: Call) -> Any:
        """The next reply of a stream; ``call.over`` then says whether it was the last."""
        call.reader = asyncio.current_task()
        try:
            while not self._take_for(call):
                call.arrived = self._loop.create_future()
                await call.arrived
            last = self._session.last
            try:
                return call.plan.answer(self._session, call.namespaced)
            finally:
                if last:
                    call.over = True
                    self._waiting.popleft()
                    self._deliver()
        except BaseException:
            if not call.over:
                self.leave(STREAM_LEFT)
            raise

    # ---- replies

    def _take_for(self, call: Call) -> bool:
        """Take the next reply if it has come and is the call's. Raises what has made the call fail."""
        if self._waiting and self._waiting[0] is call and self._take_reply():
            return True
        call.check()
        return False

    def _take_reply(self) -> bool:
        """Take the next reply from the session. What cannot be one, and the end, close the connection."""
        if self._closed:
            return False
        try:
            if self._session.take_reply():
                self._stop_clock()
                return True
            if self._session.partial and self._clock is None and self._frame_timeout is not None:
                self._clock = self._loop.call_later(self._frame_timeout, self._fail, TimeoutError, UNFINISHED)
            self._unread = 0
            self._transport.resume_reading()
            if self._why:
                self._fail(ConnectionLost, self._why)
        except ProtocolError as fault:
            self._fail(ProtocolError, str(fault))
        return False

    def _deliver(self) -> None:
        """Give out the replies that have come, up to the first of a stream."""
        waiting = self._waiting
        while not (waiting and waiting[0].more) and self._take_reply():
            waiting.popleft().answer(self._session)
        if waiting and waiting[0].more and not waiting[0].wake() and self._unread > AHEAD:
            self._transport.pause_reading()

    # ---- the end

    def _end(self, why: str) -> None:
        """Nothing more will come. What has come is still given out."""
        self._why = self._why or why
        self._deliver()

    def _fail(self, kind: type[Exception], why: str) -> None:
        """Close the connection; calls that wait fail."""
        if self._closed:
            return
        self._closed = True
        self._why = self._why or why
        self._stop_clock()
        self._transport.abort()
        self._writable.set()
        while self._waiting:
            call = self._waiting.popleft()
            call.failure = kind(f"The connection is closed. {why}")
            call.end()

    def _stop_clock(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None

    def leave(self, why: str) -> None:
        """Close the connection because a reply on it is not waited for any more."""
        if not self._why:
            self.left = True
        self._fail(ConnectionLost, why)

    def forsake(self, why: str) -> None:
        """Close the connection from a finalizer, which may run at any moment and in any thread."""
        if not self._why:
            self._why = why
            self.left = True
        # Without a loop there is nothing to close: that has been reported by the transport.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._fail, ConnectionLost, why)

    def close(self) -> None:
        """Close the connection. Calls that wait for a reply fail."""
        self.left = False
        self._fail(ConnectionLost, CLOSED_HERE)

    async def wait_closed(self) -> None:
        """Wait until the socket is closed."""
        await self._gone.wait()
