"""One process that serves sockets which are open already, until whoever it answers to has it end."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from socket import AF_UNIX, socket
from types import FrameType
from typing import Any, Protocol

from fastvarlink._core.listener import Alarm
from fastvarlink._core.reactor import Reactor
from fastvarlink._core.terms import Terms
from fastvarlink._core.waiting import WaitingConnection
from fastvarlink.limits import Limits
from fastvarlink.server.listening import Listening
from fastvarlink.server.notify import Notifier, watchdog_interval
from fastvarlink.server.streams import StandardStreams
from fastvarlink.server.threads import ThreadingServer
from fastvarlink.server.turns import Turn
from fastvarlink.service import Service, runner

__all__ = ["END_SIGNALS", "End", "Manager", "ProgramServer", "Settings", "Superior", "serve_sockets"]

logger = logging.getLogger("fastvarlink.server")

END_SIGNALS = (signal.SIGTERM, signal.SIGINT)


@dataclass(frozen=True)
class Settings:
    """What serve() was told of how to serve."""

    limits: Limits
    strict: bool
    exit_idle_time: float | None
    drain_time: float
    busy_poll: float = 0.0


class Superior(Protocol):
    """Whoever a process that serves answers to: the manager of services, or the supervisor of workers."""

    #: Seconds between two calls of alive(); None if nobody asks.
    interval: float | None

    def turn(self, count: Callable[[], int]) -> Turn | None:
        """What tells when to take a connection, where others take some as well."""

    def begin(self, server: ProgramServer, reactor: Reactor) -> None:
        """All is ready; the server takes connections from accept() on."""

    def alive(self) -> None:
        """Called by the thread that serves."""

    def idle(self) -> None:
        """There has been no connection for exit_idle_time."""

    def stopping(self) -> None:
        """No more connections are taken."""


class Manager:
    """The manager of services, if there is one; the process ends by itself when it is idle."""

    def __init__(self, ready: Callable[[], None] | None) -> None:
        self.interval = watchdog_interval()
        self._notifier = Notifier()
        self._ready = ready
        self._server: ProgramServer | None = None

    def turn(self, _count: Callable[[], int]) -> Turn | None:
        """Nobody else takes connections."""
        return None

    def begin(self, server: ProgramServer, _reactor: Reactor) -> None:
        """Begin at once, and say so."""
        self._server = server
        server.accept()
        self._notifier.ready()
        if self._ready is not None:
            self._ready()

    def alive(self) -> None:
        """Tell that it lives."""
        self._notifier.watchdog()

    def idle(self) -> None:
        """End, unless a connection has just come."""
        assert self._server is not None
        self._server.exit_if_idle()

    def stopping(self) -> None:
        """Tell that it ends."""
        self._notifier.stopping()


class ProgramServer(ThreadingServer):
    """A ThreadingServer for sockets that are there already."""

    def __init__(
        self, service: Service, listening: Listening, settings: Settings, superior: Superior
    ) -> None:
        super().__init__(
            "",
            service,
            bind_and_activate=False,
            limits=settings.limits,
            strict=settings.strict,
            busy_poll=settings.busy_poll,
        )
        self.exit_idle_time = settings.exit_idle_time
        self._service = service
        self._listening = listening
        self._superior = superior
        self._turn = superior.turn(self._connections.__len__)
        self._adopted = False
        self._streams: WaitingConnection | None = None
        self._sign_of_life: Alarm | None = None
        # It has been idle for exit_idle_time, and no connection has ended since.
        self._quiet = False
        self._acceptors.clear()
        for endpoint in listening.endpoints:
            self.add_listener(endpoint)

    def _make_socket(self, server_address: str) -> Any:
        # Never bound: those that are listened at come by add_listener().
        self.socket = socket(AF_UNIX)
        return server_address

    def _start(self) -> None:
        super()._start()
        reactor = self._reactor
        assert reactor is not None
        # Not before signals are handled: whoever has a reply may well send one.
        for connection in self._listening.connected:
            self._adopt(connection)
        self._adopted = True
        if self._superior.interval is not None:
            self._sign_of_life = Alarm(self._superior.interval, self._live)
            self._live()
        self._superior.begin(self, reactor)
        self._connection_ended()

    def _live(self) -> None:
        # Told by whoever leads: a server in which nobody does any more is not alive.
        assert self._sign_of_life is not None
        assert self._reactor is not None
        self._superior.alive()
        self._sign_of_life.start(self._reactor)

    # ---- connections that were there already

    def _adopt(self, connection: socket | StandardStreams) -> None:
        """Serve one; without a listening socket, the server ends when all have ended."""
        if isinstance(connection, socket):
            connection.setblocking(True)
            self._take_in(connection, "")
            return
        self._streams = WaitingConnection(
            connection, self, self._service._table, Terms(self.limits, self.strict)
        )
        self._connections.admit(connection)
        self._run_thread(self._serve_streams, self._streams, connection)

    def _serve_streams(self, served: WaitingConnection, connection: StandardStreams) -> None:
        try:
            served.serve()
        except Exception:
            logger.exception("The connection of standard input and output has been closed by an error.")
        finally:
            connection.close()
            self._connections.leave(connection)

    # ---- those that come

    def _begin_to_accept(self, reactor: Reactor) -> None:
        # Whoever it answers to says when.
        pass

    def accept(self) -> None:
        """Take connections, for the first time or again after pause()."""
        reactor = self._reactor
        assert reactor is not None
        if self._draining:
            return
        if self._turn is not None:
            self._turn.enter()
        if self._idle_alarm is None:
            super()._begin_to_accept(reactor)
        else:
            for acceptor in self._acceptors:
                acceptor.attach(reactor)

    def pause(self) -> bool:
        """Take no connections until accept(). True if it is as idle as it was when it said so."""
        for acceptor in self._acceptors:
            acceptor.accept_all()
        self._take_no_more()
        if not self._quiet:
            return False
        if self._some_are_open():
            # The one that is being taken may be refused, and never end.
            self._connection_ended()
            return False
        return True

    def _take_no_more(self) -> None:
        if self._turn is not None:
            self._turn.leave()
        for acceptor in self._acceptors:
            acceptor.pause()

    def look(self) -> bool:
        """Another process has left connections to this one. True if there may be more than were taken."""
        return any(acceptor.accept_some() for acceptor in self._acceptors)

    def _connection_ended(self) -> None:
        if self._turn is not None:
            self._turn.tell()
        if not len(self._connections):
            self._quiet = False
        super()._connection_ended()
        if self._adopted and not self._acceptors and not len(self._connections):
            self._request_stop()

    # ---- the end

    def drain(self, timeout: float = 10.0) -> None:
        self._superior.stopping()
        if self._turn is not None:
            self._turn.leave()
        if self._streams is not None:
            self._streams.finish()
            if self._streams.idle:
                # Nobody can wake it where it waits.
                self._connections.leave(self._streams.request)
        super().drain(timeout)

    def retire(self, timeout: float) -> None:
        """As drain(), where others take the connections from here on: none is closed before it was of use."""
        reactor = self._reactor
        assert reactor is not None
        self._superior.stopping()
        self._patient = True
        self._draining = True
        if self._turn is not None:
            self._turn.give()
        self._take_no_more()
        self._connections.finish(True)
        self._end_within(timeout, reactor)

    def leave(self) -> None:
        """Stop after pause(), where all are idle and the files of the sockets have been removed."""
        if not self._was_passed:
            for acceptor in self._acceptors:
                acceptor.accept_all()
        self._end_with_last()

    def _exit_if_idle(self) -> None:
        if len(self._connections):
            return
        self._quiet = True
        self._superior.idle()

    def exit_if_idle(self) -> None:
        """Stop, unless a connection has come meanwhile."""
        super()._exit_if_idle()

    def _remove_files(self) -> None:
        self._listening.remove_files()

    @property
    def _was_passed(self) -> bool:
        return self._listening.passed

    def _threads_have_ended(self) -> bool:
        if self._streams is not None and self._streams.idle:
            return True
        return super()._threads_have_ended()


class End:
    """What SIGTERM and SIGINT do: the first one drains the server, a second one ends the process."""

    def __init__(self, server: ProgramServer, drain_time: float) -> None:
        self._server = server
        self._drain_time = drain_time
        self._told = False

    def __call__(self, number: int) -> None:
        """One has come."""
        if not self._told:
            self._told = True
            self._server.drain(self._drain_time)
            return
        self._server._remove_files()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)


def serve_sockets(
    service: Service | Callable[[], Service], listening: Listening, settings: Settings, superior: Superior
) -> None:
    """Serve the sockets in this process, until ``superior`` or a signal has it end.

    On the main thread, SIGTERM and SIGINT drain it, and a second one ends the process. A service with
    handlers that are coroutines is served in an event loop.
    """
    if not isinstance(service, Service):
        made = service()
        if not isinstance(made, Service):
            raise TypeError(
                f"What serve() was given to call returned {type(made).__name__}: it must return a Service."
            )
        service = made
    if service.awaits:
        if settings.busy_poll:
            raise ValueError(
                "'busy_poll' is not for handlers that are coroutines: their event loop sleeps. Leave it out."
            )
        runner.run_in_loop(service, listening, settings, superior)
        return
    with ExitStack() as undo:
        server = ProgramServer(service, listening, settings, superior)
        undo.callback(server.server_close)
        if threading.current_thread() is threading.main_thread():
            undo.enter_context(_ended_by_signals(server, settings.drain_time))
        server.serve_forever()


@contextlib.contextmanager
def _ended_by_signals(server: ProgramServer, drain_time: float) -> Iterator[None]:
    """Have SIGTERM and SIGINT end the server."""
    end = End(server, drain_time)

    def handle(number: int, _frame: FrameType | None) -> None:
        end(number)

    before = {number: signal.signal(number, handle) for number in END_SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
