"""serve(): a service as a program, from its sockets to its exit status."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from socket import AF_UNIX, AI_PASSIVE, SO_REUSEADDR, SOCK_STREAM, SOL_SOCKET, getaddrinfo, socket
from types import FrameType
from typing import Any

from fastvarlink import address as addresses
from fastvarlink._core.listener import Alarm
from fastvarlink._core.terms import Terms
from fastvarlink._core.waiting import WaitingConnection
from fastvarlink.error import AddressError
from fastvarlink.limits import Limits
from fastvarlink.server import sockets
from fastvarlink.server.activation import environment_address, passed_sockets
from fastvarlink.server.notify import Notifier, watchdog_interval
from fastvarlink.server.sockets import SocketFile
from fastvarlink.server.streams import StandardStreams, take_standard_streams
from fastvarlink.server.threads import ThreadingServer
from fastvarlink.service import Service, runner

__all__ = ["serve"]

logger = logging.getLogger("fastvarlink.server")

STANDARD_STREAMS = "-"


class ServiceServer(ThreadingServer):
    """A ThreadingServer for sockets that are there already."""

    def __init__(self, service: Service, limits: Limits, strict: bool) -> None:
        super().__init__("", service, bind_and_activate=False, limits=limits, strict=strict)
        self._service = service
        self._acceptors.clear()
        self._connected: list[socket] = []
        self._adopted = False
        self._streams: WaitingConnection | None = None
        self.files: list[SocketFile] = []
        self.passed = False
        self.notifier = Notifier()
        self._sign_of_life: Alarm | None = None
        self.ready: Callable[[], None] = lambda: None

    def _make_socket(self, server_address: str) -> Any:
        # Never bound: those that are listened at come by add_listener().
        self.socket = socket(AF_UNIX)
        return server_address

    def _start(self) -> None:
        super()._start()
        reactor = self._reactor
        assert reactor is not None
        for connection in self._connected:
            self._take_in(connection, "")
        if self._streams is not None:
            # Not before signals are handled: whoever has a reply may well send one.
            self._run_thread(self._serve_streams, self._streams, self._streams.request)
        self._adopted = True
        interval = watchdog_interval()
        if interval is not None:
            self._sign_of_life = Alarm(interval, self._live)
            self._live()
        self.notifier.ready()
        self.ready()
        self._connection_ended()

    def _live(self) -> None:
        # Told by whoever leads: a server in which nobody does any more is not alive.
        assert self._sign_of_life is not None
        assert self._reactor is not None
        self.notifier.watchdog()
        self._sign_of_life.start(self._reactor)

    def adopt(self, connection: socket | StandardStreams) -> None:
        """Serve a connection that is there already; without a listening socket, end when all have ended."""
        if isinstance(connection, socket):
            connection.setblocking(True)
            self._connected.append(connection)
            return
        self._streams = WaitingConnection(
            connection, self, self._service._table, Terms(self.limits, self.strict)
        )
        self._connections.admit(connection)

    def _serve_streams(self, served: WaitingConnection, connection: StandardStreams) -> None:
        try:
            served.serve()
        except Exception:
            logger.exception("The connection of standard input and output has been closed by an error.")
        finally:
            connection.close()
            self._connections.leave(connection)

    def _connection_ended(self) -> None:
        super()._connection_ended()
        if self._adopted and not self._acceptors and not len(self._connections):
            self._request_stop()

    def _remove_files(self) -> None:
        for file in self.files:
            file.remove()

    @property
    def _was_passed(self) -> bool:
        return self.passed

    def drain(self, timeout: float = 10.0) -> None:
        self.notifier.stopping()
        if self._streams is not None:
            self._streams.finish()
            if self._streams.idle:
                # Nobody can wake it where it waits.
                self._connections.leave(self._streams.request)
        super().drain(timeout)

    def _threads_have_ended(self) -> bool:
        if self._streams is not None and self._streams.idle:
            return True
        return super()._threads_have_ended()


def serve(
    service: Service,
    *listen_at: str,
    limits: Limits | None = None,
    strict: bool = True,
    exit_idle_time: float | None = None,
    drain_time: float = 10.0,
    ready: Callable[[], None] | None = None,
) -> None:
    """Serve a service until it is told to end, then return: the program ends with status 0.

    Sockets that were passed to this process (LISTEN_FDS: by a service manager, or a client that starts the
    service) take the place of ``listen_at``, and so does an address in SYSTEMD_VARLINK_LISTEN; ``-`` there,
    or among the addresses, is standard input and output. A program that was only passed connections ends
    with the last of them. AddressError if there is nothing to listen at, OSError if that cannot be done.

    Handlers that block hold up nobody but their own connection. SIGTERM and SIGINT end it: nothing more is
    accepted, calls that have arrived are answered and streams go on to their end for up to ``drain_time``
    seconds, what is left is cut off; a second signal ends the process at once. So does an idle service after
    ``exit_idle_time`` seconds without a connection. A manager at NOTIFY_SOCKET is told when it is ready, when
    it ends, and that it lives, if it asks for that. ``ready()`` is called when the service can be called.
    ``limits`` and ``strict`` are as for ThreadingServer.
    """
    with ExitStack() as undo:
        server = ServiceServer(service, limits or Limits(), strict)
        undo.callback(server.server_close)
        server.exit_idle_time = exit_idle_time
        if ready is not None:
            server.ready = ready
        open_all(server, listen_at)
        if threading.current_thread() is threading.main_thread():
            undo.enter_context(_ended_by_signals(server, drain_time))
        server.serve_forever()


def open_all(server: ServiceServer, listen_at: tuple[str, ...]) -> None:
    """Have the server listen wherever it should."""
    passed = passed_sockets()
    server.passed = bool(passed)
    for each in passed:
        if each.listening:
            server.add_listener(each.socket)
        else:
            server.adopt(each.socket)
    if passed:
        return
    named = environment_address()
    for address in (named,) if named is not None else listen_at:
        if address == STANDARD_STREAMS:
            server.adopt(take_standard_streams())
            continue
        endpoint, file = _listening(address, server.request_queue_size)
        server.add_listener(endpoint)
        if file is not None:
            server.files.append(file)
    if named is None and not listen_at:
        raise AddressError(
            "There is nothing to listen at: give an address, as in 'unix:/run/org.example.service', or start "
            "the service with a socket."
        )


def _listening(address: str, backlog: int) -> tuple[socket, SocketFile | None]:
    """A socket that listens at an address, and its file if it has one."""
    parsed = addresses.parse(address)
    if isinstance(parsed, addresses.TCP):
        found = getaddrinfo(parsed.host, parsed.port, type=SOCK_STREAM, flags=AI_PASSIVE)
        family, kind, protocol, _, *rest = found[0]
        sockaddr: Any = rest[0]
        endpoint = socket(family, kind, protocol)
    else:
        endpoint = socket(AF_UNIX)
        sockaddr = parsed.sockaddr
    file = None
    try:
        if isinstance(parsed, addresses.TCP):
            endpoint.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
            endpoint.bind(sockaddr)
        elif parsed.abstract:
            endpoint.bind(sockaddr)
        else:
            mode = parsed.properties.get("mode")
            file = sockets.bind(
                endpoint, parsed.path, None if mode is None else sockets.parse_mode(mode, address)
            )
        sockets.listen(endpoint, backlog, file)
    except BaseException:
        if file is not None:
            file.remove()
        endpoint.close()
        raise
    return endpoint, file


@contextlib.contextmanager
def _ended_by_signals(server: ServiceServer, drain_time: float) -> Iterator[None]:
    """Have SIGTERM and SIGINT end the server."""
    told = False

    def end(number: int, _frame: FrameType | None) -> None:
        nonlocal told
        if not told:
            told = True
            server.drain(drain_time)
            return
        server._remove_files()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


runner.serve = serve
