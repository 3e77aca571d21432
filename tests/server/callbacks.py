"""A service that takes its connections over to call its clients, and clients that serve there."""

from __future__ import annotations

import asyncio
import inspect
import socket
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import Future
from typing import Any

import uvloop

import fastvarlink
from fastvarlink import aio
from wire.rawstream import PATIENCE

JOBS = "org.example.jobs"
PROGRESS = "org.example.jobs.progress"
#: How a client waits; None without an event loop.
LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop] | None] = {
    "blocking": None,
    "asyncio": asyncio.new_event_loop,
    "own": aio.EventLoop,
    "uvloop": uvloop.new_event_loop,
}


@fastvarlink.interface(PROGRESS)
class Progress:
    """What a client offers to the service."""

    class Refused(fastvarlink.InterfaceError):
        """It is not wanted."""

        why: str

    def __init__(self, take_over: Callable[[Any], Any] | None = None) -> None:
        self.take_over = take_over
        self.arrived = threading.Event()
        self.gate = threading.Event()
        self.callers: list[Any] = []

    @fastvarlink.method(returns="text")
    def Echo(self, text: str, _context: fastvarlink.Context) -> str:
        self.callers.append(_context.peer.pid)
        return text

    @fastvarlink.method(returns="text")
    async def Later(self, text: str) -> str:
        await asyncio.sleep(0)
        return text

    @fastvarlink.method(returns="i")
    def Count(self, n: int) -> Iterator[int]:
        yield from range(n)

    @fastvarlink.method(returns="i")
    async def CountLater(self, n: int) -> AsyncIterator[int]:
        for i in range(n):
            await asyncio.sleep(0)
            yield i

    def Refuse(self, why: str) -> None:
        raise self.Refused(why=why)

    def Hold(self) -> None:
        self.arrived.set()
        assert self.gate.wait(PATIENCE)

    def HoldToTheEnd(self, _context: fastvarlink.Context) -> None:
        with _context.on_end(self.gate.set):
            self.arrived.set()
            assert self.gate.wait(PATIENCE)

    async def HoldTask(self) -> None:
        self.arrived.set()
        await asyncio.Event().wait()

    @fastvarlink.method(upgrade=True)
    def Swap(self, _context: fastvarlink.Context) -> None:
        assert self.take_over is not None
        _context.take_over(self.take_over)


class Caller:
    """The service's client on a connection, whether it blocks or not."""

    def __init__(self, client: Any, handler: Any) -> None:
        self.client = client
        self._handler = handler

    async def call(self, method: str, *arguments: Any, **keywords: Any) -> Any:
        """What a call comes to."""
        given = getattr(self._handler, method)(*arguments, **keywords)
        return await given if inspect.isawaitable(given) else given

    async def replies(self, method: str, *arguments: Any) -> list[Any]:
        """All replies of a stream."""
        given = getattr(self._handler, method)(*arguments, _more=True)
        return [each async for each in given] if hasattr(given, "__aiter__") else list(given)


Script = Callable[[Caller], Coroutine[Any, Any, Any]]


def taking_over(script: Script, asynchronous: bool) -> tuple[Callable[[Any], Any], Future[Any]]:
    """A function for Context.take_over() that follows a script, and what comes of that."""
    outcome: Future[Any] = Future()

    async def follow(caller: Caller) -> None:
        try:
            outcome.set_result(await script(caller))
        except BaseException as failure:  # the test has it
            outcome.set_exception(failure)
            if not isinstance(failure, Exception):
                raise

    def block(connection: socket.socket) -> None:
        with fastvarlink.Client.over(connection) as client:
            asyncio.run(follow(Caller(client, client.open(PROGRESS))))

    async def wait(connection: socket.socket) -> None:
        async with aio.Client.over(connection) as client:
            await follow(Caller(client, await client.open(PROGRESS)))

    return wait if asynchronous else block, outcome


@fastvarlink.interface(JOBS)
class Jobs:
    """Gives its connections to a function."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self._function = function

    @fastvarlink.method(upgrade=True, returns="name")
    def Subscribe(self, _context: fastvarlink.Context) -> str:
        _context.take_over(self._function)
        return "job"


class Subscriber:
    """A client that subscribes and serves on its connection, on a thread of its own."""

    def __init__(
        self,
        kind: str,
        address: str,
        progress: Progress,
        drain_time: float = PATIENCE,
        service: fastvarlink.Service | None = None,
    ) -> None:
        self.service = service or fastvarlink.Service()
        self.service.interface(progress)
        self._address = address
        self._loop_factory = LOOPS[kind]
        self._drain_time = drain_time
        self._connection: socket.socket
        self._task: asyncio.Task[None]
        self._loop: asyncio.AbstractEventLoop
        self._fault: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="subscriber")
        self._thread.start()

    def _run(self) -> None:
        try:
            if self._loop_factory is None:
                self._block()
                return
            with asyncio.Runner(loop_factory=self._loop_factory) as runner:
                runner.run(self._wait())
        except BaseException as fault:  # it is raised again in the thread of the test
            self._fault = fault

    def _block(self) -> None:
        with fastvarlink.Client(self._address) as client, client.open(JOBS) as jobs:
            reply, self._connection = jobs.Subscribe(_upgrade=True)
            assert reply == {"name": "job"}
            self.service.serve_connection(self._connection)
        assert self._connection.fileno() == -1

    async def _wait(self) -> None:
        self._loop = asyncio.get_running_loop()
        async with aio.Client(self._address) as client:
            jobs = await client.open(JOBS)
            reply, connection = await jobs.Subscribe(_upgrade=True)
            assert reply == {"name": "job"}
            self._task = asyncio.ensure_future(
                self.service.serve_connection_async(connection, drain_time=self._drain_time)
            )
            await asyncio.wait([self._task])
            if not self._task.cancelled():
                self._task.result()
        assert connection.fileno() == -1
        assert asyncio.all_tasks() == {asyncio.current_task()}

    def leave(self) -> None:
        """End the connection while it is served."""
        if self._loop_factory is None:
            self._connection.shutdown(socket.SHUT_RDWR)
        else:
            self._loop.call_soon_threadsafe(self._task.cancel)

    def finish(self) -> None:
        """Wait until the connection is over, and raise what went wrong."""
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), "The connection is still being served."
        if self._fault is not None:
            raise self._fault
