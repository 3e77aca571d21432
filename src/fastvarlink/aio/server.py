"""serve() for asyncio: a service in the event loop that is running."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from fastvarlink._core.hosted import HostedReactor
from fastvarlink._core.link import is_plain_socket
from fastvarlink._core.reactor import Reactor
from fastvarlink._core.tasks import Tasks
from fastvarlink.aio.loop import EventLoop
from fastvarlink.aio.takeovers import TakeoverTasks
from fastvarlink.limits import Limits
from fastvarlink.server.handler import check_connection
from fastvarlink.server.listening import Listening
from fastvarlink.server.program import END_SIGNALS, End, Manager, ProgramServer, Settings, Superior
from fastvarlink.service import Service

__all__ = ["LoopServer", "serve", "serve_connection", "serve_sockets_in_loop"]


class LoopServer(ProgramServer):
    """A server whose connections are served by the event loop that is running.

    The loop watches one descriptor for all of them, the reactor's own. Handlers that are coroutines run in
    the loop, others on threads, where they cannot hold it up.
    """

    async def serve_in_loop(self) -> None:
        """Serve until shutdown() or drain() has ended it."""
        loop = asyncio.get_running_loop()
        ended = loop.create_future()
        tasks = self._connections.terms.tasks = Tasks()
        takeovers = self._connections.takeovers = TakeoverTasks()
        with self._lock:
            if self._stop_requested:
                return
            self._stopped.clear()
            self._serving_thread = threading.current_thread()
        reactor = None
        lent: EventLoop | None = None
        try:
            self._start()
            reactor = self._hosted()
            reactor.enter_loop(partial(_resolve, ended))
            lent = loop if isinstance(loop, EventLoop) and loop.lend(reactor, self._report) else None
            if lent is None:
                loop.add_reader(reactor.fileno(), self._run_once)
            await ended
        finally:
            self._closed = True
            for acceptor in self._acceptors:
                acceptor.detach()
            # What runs in the loop is told before it is left, as it is to be told there.
            self._connections.close()
            await tasks.close()
            await takeovers.close()
            if reactor is not None:
                if lent is not None:
                    lent.take_back()
                else:
                    loop.remove_reader(reactor.fileno())
                reactor.stop()
                reactor.leave_loop()
            self._stopped.set()
            self._serving_thread = None

    def _new_reactor(self) -> Reactor:
        return HostedReactor(self._spawn)

    def _hosted(self) -> HostedReactor:
        reactor = self._reactor
        assert isinstance(reactor, HostedReactor)
        return reactor

    def _run_once(self) -> None:
        try:
            self._hosted().run_once()
        except Exception:
            self._report()


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


async def serve(
    service: Service,
    *listen_at: str,
    limits: Limits | None = None,
    strict: bool = True,
    exit_idle_time: float | None = None,
    drain_time: float = 10.0,
    ready: Callable[[], None] | None = None,
) -> None:
    """Serve a service in the running event loop, until the task is cancelled.

    Handlers that are coroutines run in the loop: at once as far as they do not have to wait, then in a task.
    Plain functions and generators run on threads. Cancelling the task ends the service as a signal ends that
    of fastvarlink.serve(): nothing more is accepted, calls that have arrived are answered and streams go on
    for up to ``drain_time`` seconds; cancelling it once more ends it at once. Signals are left to the
    program. All else is as in fastvarlink.serve(), which also runs such services, in a loop of its own.
    """
    settings = Settings(limits or Limits(), strict, exit_idle_time, drain_time)
    with contextlib.closing(Listening()) as listening:
        listening.open(listen_at, LoopServer.request_queue_size, connections=True)
        await _serve_sockets(service, listening, settings, Manager(ready))


class _Nobody:
    """What a server answers to that is no program: see Superior."""

    interval: float | None = None

    def turn(self, _count: Callable[[], int]) -> None:
        """No connections are to be taken."""

    def begin(self, _server: ProgramServer, _reactor: Reactor) -> None:
        """Nobody wants to know."""

    def alive(self) -> None:
        """Nobody asks."""

    def idle(self) -> None:
        """There is no exit_idle_time."""

    def stopping(self) -> None:
        """Nobody wants to know."""


async def serve_connection(
    service: Service, connection: Any, limits: Limits, strict: bool, drain_time: float
) -> None:
    """See Service.serve_connection_async()."""
    check_connection(connection)
    if not is_plain_socket(connection):
        raise TypeError(
            f"An event loop serves plain sockets only, not {type(connection).__qualname__}: "
            f"serve_connection(), on a thread, takes others."
        )
    with contextlib.closing(Listening(connected=[connection])) as listening:
        await _serve_sockets(service, listening, Settings(limits, strict, None, drain_time), _Nobody())


async def _serve_sockets(
    service: Service, listening: Listening, settings: Settings, superior: Superior
) -> None:
    server = LoopServer(service, listening, settings, superior)
    try:
        await _drained(server, settings.drain_time)
    finally:
        # It waits for handlers on threads.
        await asyncio.to_thread(server.server_close)


async def _drained(server: LoopServer, drain_time: float) -> None:
    """Serve; when cancelled, come to an end in good order first."""
    serving = asyncio.ensure_future(server.serve_in_loop())
    try:
        await asyncio.shield(serving)
    except asyncio.CancelledError:
        if not serving.done():
            server.drain(drain_time)
            try:
                await asyncio.shield(serving)
            except asyncio.CancelledError:
                serving.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await serving
        raise


def serve_sockets_in_loop(
    service: Service, listening: Listening, settings: Settings, superior: Superior
) -> None:
    """As serve_sockets(), in an event loop of the server's own."""
    server = LoopServer(service, listening, settings, superior)

    async def main() -> None:
        if threading.current_thread() is threading.main_thread():
            loop = asyncio.get_running_loop()
            end = End(server, settings.drain_time)
            for number in END_SIGNALS:
                loop.add_signal_handler(number, end, number)
        await server.serve_in_loop()

    with server, asyncio.Runner(loop_factory=EventLoop) as runner:
        runner.run(main())
