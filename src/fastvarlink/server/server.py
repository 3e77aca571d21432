"""Servers: a listening socket, its connections, and the threads that serve them."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from socket import (
    AF_INET,
    AF_INET6,
    AF_UNIX,
    AF_VSOCK,
    AI_PASSIVE,
    IPPROTO_TCP,
    SHUT_RDWR,
    SO_REUSEADDR,
    SOCK_STREAM,
    SOL_SOCKET,
    TCP_NODELAY,
    getaddrinfo,
    socket,
)
from socketserver import BaseServer
from typing import Any, Self

from fastvarlink import address as addresses
from fastvarlink._core.link import is_plain_socket
from fastvarlink._core.listener import Alarm
from fastvarlink._core.reactor import Reactor
from fastvarlink.busypoll import checked_busy_poll
from fastvarlink.limits import Limits
from fastvarlink.marks import mark
from fastvarlink.peer import Peer
from fastvarlink.server import sockets
from fastvarlink.server.acceptor import Acceptor
from fastvarlink.server.activation import get_listen_fd
from fastvarlink.server.connections import Connections
from fastvarlink.server.handler import handler_for, service_of
from fastvarlink.server.sockets import SocketFile
from fastvarlink.server.turns import Turn
from fastvarlink.service import Service

logger = logging.getLogger("fastvarlink.server")


class Server(BaseServer):
    """Serves all its connections on the thread that calls serve_forever(), one handler at a time.

    ``server_address`` is an address as in fastvarlink.address; a socket that was passed in by systemd
    takes its place. ``RequestHandlerClass`` is a subclass of RequestHandler, or simply a Service.
    A unix socket may have a ``;mode=0600``.

    ``busy_poll`` is for how many seconds after a call the thread that waits asks for the next one again and
    again, which keeps a core busy, before it sleeps; None or 0 for none.
    """

    address_family: int = AF_INET
    socket_type: int = SOCK_STREAM
    request_queue_size = 1024
    allow_reuse_address = True
    # What clients may cost.
    limits = Limits()
    # Whether clients must keep to every rule. Otherwise members of a call that are not known are ignored, and
    # null stands for a flag that is not there.
    strict = True
    # Seconds without a connection after which serve_forever() returns; None for never.
    exit_idle_time: float | None = None
    # Seconds that server_close() waits for handlers that are still running.
    close_timeout = 5.0
    # Seconds after whatever has happened for which the thread that waits does not sleep.
    busy_poll = 0.0
    # Says when this process takes connections, where others take some of the same sockets.
    _turn: Turn | None = None

    server_address: Any
    socket: Any

    def __init__(
        self,
        server_address: str,
        RequestHandlerClass: Any,
        bind_and_activate: bool = True,
        *,
        limits: Limits | None = None,
        strict: bool | None = None,
        busy_poll: float | None = None,
    ) -> None:
        if limits is not None:
            self.limits = limits
        if strict is not None:
            self.strict = strict
        self.busy_poll = checked_busy_poll(self.busy_poll if busy_poll is None else busy_poll)
        self.remove_file: str | None = None
        self.mode: str | None = None
        self._socket_file: SocketFile | None = None
        self.listen_fd = get_listen_fd()
        bind_to = self._make_socket(server_address)
        super().__init__(bind_to, handler_for(RequestHandlerClass))
        self._connections = Connections(self, self.limits, self.strict, self._connection_ended)
        self._reactor: Reactor | None = None
        self._peers: dict[Any, Peer] = {}
        self._more_sockets: list[Any] = []
        self._acceptors = [Acceptor(self.socket, self.get_request, self._take_in, self._stop_if_over)]
        self._serving_thread: threading.Thread | None = None
        self._lock = threading.RLock()
        self._stop_requested = False
        self._stopped = threading.Event()
        self._stopped.set()
        self._draining = False
        # While draining: connections are closed only after a call.
        self._patient = False
        self._ends_with_last = False
        self._idle_alarm: Alarm | None = None
        self._drain_alarm: Alarm | None = None
        self._closed = False
        if bind_and_activate:
            try:
                self.server_bind()
                self.server_activate()
            except BaseException:
                self.server_close()
                raise

    def _make_socket(self, server_address: str) -> Any:
        """Make the socket for an address; returns what to bind it to."""
        if self.listen_fd is not None:
            self.socket = socket(fileno=os.dup(self.listen_fd))
            self.address_family = self.socket.family
            return self.socket.getsockname()
        parsed = addresses.parse(server_address)
        if isinstance(parsed, addresses.Unix):
            self.address_family = AF_UNIX
            if not parsed.abstract:
                self.mode = parsed.properties.get("mode")
                if self.mode is not None:
                    sockets.parse_mode(self.mode, server_address)
                self.remove_file = parsed.path
            sockaddr: Any = parsed.sockaddr
        elif isinstance(parsed, addresses.Vsock):
            self.address_family = AF_VSOCK
            sockaddr = parsed.sockaddr
        else:
            found = getaddrinfo(parsed.host, parsed.port, type=SOCK_STREAM, flags=AI_PASSIVE)
            self.address_family, self.socket_type, _, _, sockaddr = found[0]
        self.socket = socket(self.address_family, self.socket_type)
        return sockaddr

    # ---- what socketserver calls, and programs override

    def server_bind(self) -> None:
        """Bind the socket to its address."""
        if self.allow_reuse_address and self.address_family != AF_UNIX:
            self.socket.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
        if self.listen_fd is None:
            if self.address_family == AF_UNIX and not self.server_address.startswith("\0"):
                self._bind_to_path(self.server_address)
                return
            self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        if isinstance(self.server_address, bytes):
            self.server_address = "@" + os.fsdecode(self.server_address[1:])

    def _bind_to_path(self, path: str) -> None:
        mode = None if self.mode is None else sockets.parse_mode(self.mode, path)
        try:
            self._socket_file = sockets.bind(self.socket, path, mode)
        except OSError:
            # Not ours to remove: it belongs to whoever is in the way.
            self.remove_file = None
            raise

    def server_activate(self) -> None:
        """Start listening."""
        sockets.listen(self.socket, self.request_queue_size, self._socket_file)

    def fileno(self) -> int:
        """The descriptor of the listening socket."""
        fd: int = self.socket.fileno()
        return fd

    def get_request(self) -> tuple[Any, Any]:
        """Accept a connection; BlockingIOError when none is waiting."""
        return self._prepared(*sockets.accept(self.socket))

    def _prepared(self, request: Any, client_address: Any) -> tuple[Any, Any]:
        if request.family in (AF_INET, AF_INET6):
            request.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
        mark(request, "server")
        return request, client_address

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve an accepted connection: by the reactor if possible, else by its request handler."""
        service = self._direct_service(request)
        reactor = self._reactor
        if service is None or reactor is None:
            super().process_request(request, client_address)
            return
        connection = self._connections.make(request, self._peers.pop(request, None), service)
        # server_close() sets its mark before it looks at the connections, and this one is among them
        # before the mark is looked at: one of the two closes it.
        try:
            if self._closed:
                connection.close()
            else:
                connection.start(reactor)
                if self._draining:
                    connection.finish(self._patient)
        except BaseException:
            connection.close()
            raise

    def _direct_service(self, request: Any) -> Service | None:
        """The service, if the reactor can serve it on this connection; None if a handler has to."""
        return service_of(self.RequestHandlerClass) if is_plain_socket(request) else None

    def shutdown_request(self, request: Any) -> None:
        """End a connection in both directions, then close it."""
        # It may have ended by itself already.
        try:
            request.shutdown(SHUT_RDWR)
        except OSError:
            pass
        finally:
            self.close_request(request)

    def close_request(self, request: Any) -> None:
        """Close a connection's socket."""
        try:
            request.close()
        finally:
            self._connections.leave(request)

    # ---- more than one socket

    def add_listener(self, endpoint: Any) -> None:
        """Have a second listening socket served as well, which belongs to the server from here on.

        To be called before serve_forever().
        """

        def accept() -> tuple[Any, Any]:
            return self._prepared(*sockets.accept(endpoint))

        self._more_sockets.append(endpoint)
        self._acceptors.append(Acceptor(endpoint, accept, self._take_in, self._stop_if_over, self._turn))

    # ---- serving

    def serve_forever(self, poll_interval: float = 0.5) -> None:
        """Serve until shutdown() is called, by another thread or by a handler.

        Afterwards it may be called again: connections stay open until server_close(). service_actions(),
        if overridden, is called about every ``poll_interval`` seconds.
        """
        # A signal handler may raise anywhere here.
        try:
            with self._lock:
                if self._stop_requested:
                    return
                self._stopped.clear()
                self._serving_thread = threading.current_thread()
            self._start()
            if self._stop_requested:
                # By a signal handler, or another thread, while things were being made ready.
                return
            self._serve(poll_interval)
        finally:
            with self._lock:
                for acceptor in self._acceptors:
                    acceptor.detach()
                if self._reactor is not None:
                    self._reactor.stop()
                self._stop_requested = False
                # In this order, so that server_close() never waits for what its own thread has left out.
                self._stopped.set()
                self._serving_thread = None

    def _start(self) -> None:
        reactor = self._reactor = self._new_reactor()
        self._connections.start_all(reactor)
        self._begin_to_accept(reactor)

    def _begin_to_accept(self, reactor: Reactor) -> None:
        for acceptor in self._acceptors:
            acceptor.attach(reactor)
        if self.exit_idle_time is not None:
            self._idle_alarm = Alarm(self.exit_idle_time, self._exit_if_idle)
            self._connection_ended()

    def _new_reactor(self) -> Reactor:
        return Reactor(busy_poll=self.busy_poll)

    def _serve(self, poll_interval: float) -> None:
        reactor = self._reactor
        assert reactor is not None
        tick = self.service_actions if self._acts() else None
        while not reactor.stopped:
            try:
                try:
                    reactor.lead_alone(poll_interval, tick)
                except Exception:
                    self._report()
            except MemoryError:
                # Not even for the call.
                pass

    def _acts(self) -> bool:
        """True if service_actions() does anything."""
        return type(self).service_actions is not BaseServer.service_actions

    def shutdown(self) -> None:
        """Stop serve_forever() and wait until it has returned.

        Called on serve_forever()'s own thread, by a handler or a signal handler, it cannot wait, and
        returns at once. Called before serve_forever(), it has that return at once.
        """
        self._request_stop()
        if self._serving_thread is not threading.current_thread():
            self._stopped.wait()

    def server_close(self) -> None:
        """Close the listening socket and all connections, and remove the socket's file.

        Waits up to ``close_timeout`` seconds for handlers that are still running.
        """
        # From here on no connection is taken in, by whichever thread is accepting some.
        self._closed = True
        self._remove_files()
        for acceptor in self._acceptors:
            acceptor.detach()
        for endpoint in (self.socket, *self._more_sockets):
            endpoint.close()
        self._connections.close()
        if self._reactor is not None:
            self._reactor.stop()
            if self._serving_thread is not threading.current_thread():
                self._stopped.wait()
            if self._threads_have_ended():
                self._reactor.close()
                self._reactor = None

    def _remove_files(self) -> None:
        """Remove the file of the socket, if this server has made it and is to remove it."""
        if self._socket_file is not None:
            if self.remove_file is None:
                self._socket_file.keep()
            else:
                self._socket_file.remove()
        self.remove_file = None

    @property
    def _was_passed(self) -> bool:
        """True if its socket is also held by whoever started the process."""
        return self.listen_fd is not None

    def _threads_have_ended(self) -> bool:
        """Wait for the threads that serve; False if some cannot be waited for any longer."""
        with self._lock:
            return self._serving_thread is None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.server_close()

    def _take_in(self, request: Any, client_address: Any) -> None:
        """Serve a new connection, or refuse it."""
        try:
            peer = None if self._closed else self._connections.admit(request)
            if peer is None:
                self._refuse(request, Peer(request), "there are too many connections")
                return
            if not self._is_welcome(peer) or not self.verify_request(request, client_address):
                self._refuse(request, peer, "it may not connect")
                return
            if self._idle_alarm is not None:
                self._idle_alarm.cancel()
            self._peers[request] = peer
            self.process_request(request, client_address)
        except Exception:
            try:
                self.handle_error(request, client_address)
            finally:
                self.shutdown_request(request)
        finally:
            self._peers.pop(request, None)

    def _refuse(self, request: Any, peer: Peer, why: str) -> None:
        self.shutdown_request(request)
        service = getattr(self.RequestHandlerClass, "service", None)
        if isinstance(service, Service) and service.interception is not None:
            service.interception.refused(peer, why)

    def _is_welcome(self, peer: Peer) -> bool:
        service = getattr(self.RequestHandlerClass, "service", None)
        return not isinstance(service, Service) or service.admits(peer)

    def _connection_ended(self) -> None:
        for acceptor in self._acceptors:
            acceptor.retry()
        if self._ends_with_last:
            self._stop_if_over()
        elif self._idle_alarm is not None and self._reactor is not None and not len(self._connections):
            self._idle_alarm.start(self._reactor)

    # ---- coming to an end by itself

    def drain(self, timeout: float = 10.0) -> None:
        """Accept nothing more, answer the calls that have arrived, then stop serve_forever().

        Returns at once; may be called by a signal handler. Streams go on, and their handlers can see
        ``_context.stopping``. What is not at its end after ``timeout`` seconds is cut off by server_close().
        """
        reactor = self._reactor
        self._draining = True
        if reactor is None:
            self._request_stop()
            return
        # Who connected before has been promised an answer.
        for acceptor in self._acceptors:
            acceptor.accept_all()
            acceptor.detach()
        self._patient = False
        self._connections.finish(False)
        self._end_within(timeout, reactor)

    def _end_within(self, timeout: float, reactor: Reactor) -> None:
        self._drain_alarm = Alarm(timeout, self._request_stop)
        self._drain_alarm.start(reactor)
        self._end_with_last()

    def _exit_if_idle(self) -> None:
        # A connection may have come while this was decided; it is served (rule S8).
        for acceptor in self._acceptors:
            acceptor.accept_all()
        if len(self._connections):
            return
        # Where the socket is a file, nobody comes any more once it is gone. Where it was passed to us,
        # whoever comes now starts the next instance.
        self._remove_files()
        for acceptor in self._acceptors:
            acceptor.detach()
            if not self._was_passed:
                acceptor.accept_all()
        # Who has come all the same is served, though nobody else can come: it ends with the last of them.
        self._end_with_last()

    def _end_with_last(self) -> None:
        self._ends_with_last = True
        self._stop_if_over()

    def _some_are_open(self) -> bool:
        # In this order: what a thread has in hand is among the connections before it is out of its hands.
        return any(acceptor.taking for acceptor in self._acceptors) or len(self._connections) > 0

    def _stop_if_over(self) -> None:
        if self._ends_with_last and not self._some_are_open():
            self._request_stop()

    def _request_stop(self) -> None:
        """Have serve_forever() return, without waiting for it."""
        with self._lock:
            self._stop_requested = True
            if self._reactor is not None:
                self._reactor.stop()

    def _report(self) -> None:
        """Log the exception that ended a connection."""
        # Without memory logging may fail in any way, and is no reason to end a server.
        with contextlib.suppress(Exception):
            logger.exception("A connection has been closed by an error.")

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log the exception that ended a connection."""
        logger.exception("A connection from %r has been closed by an error.", client_address)
