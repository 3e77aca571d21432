"""The open connections of a server: which are let in, and how each comes to its end."""

from __future__ import annotations

import contextlib
import logging
import resource
import threading
import time
from collections.abc import Callable
from functools import partial
from socket import AF_UNIX, SHUT_RDWR, socket
from typing import Any, Protocol

from fastvarlink._core.connection import ServerConnection
from fastvarlink._core.interception import Interception
from fastvarlink._core.link import accept_descriptors
from fastvarlink._core.reactor import Reactor
from fastvarlink._core.terms import Terms
from fastvarlink.limits import Limits
from fastvarlink.peer import Peer
from fastvarlink.server.upgraded import UpgradedSocket
from fastvarlink.service import Service
from fastvarlink.service.declaration import is_asynchronous
from fastvarlink.service.own_loop import OwnLoop

__all__ = ["CLOSED_BY_ERROR", "INTERCEPTOR_FAILED", "Connections", "end", "take_over"]

logger = logging.getLogger("fastvarlink.server")

CLOSED_BY_ERROR = "An upgraded connection has been closed by an error."
INTERCEPTOR_FAILED = "An interceptor failed as a connection ended."
# Seconds between two lines in the log about connections that were refused.
SILENCE = 10.0


def _of_descriptors(limit: int) -> int:
    """A limit of connections, of which each needs a descriptor: the process needs some for other things."""
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return limit if allowed == resource.RLIM_INFINITY else max(1, min(limit, allowed * 3 // 4))


class Takeovers(Protocol):
    """Where coroutines run that take connections over."""

    def start(self, function: Callable[[Any], Any], endpoint: socket, ended: Callable[[], None]) -> None:
        """Have function(endpoint) awaited. ended() is called when it is over and the socket is closed."""


class Connections:
    """The connections of one server. ``ended()`` is called when one is over, by whichever thread ended it."""

    def __init__(self, server: Any, limits: Limits, strict: bool, ended: Callable[[], None]) -> None:
        self.terms = Terms(limits, strict, self._over, self._upgraded)
        #: None where no event loop serves.
        self.takeovers: Takeovers | None = None
        self._server = server
        self._ended = ended
        self._most = _of_descriptors(limits.max_connections)
        self._most_per_peer = _of_descriptors(limits.max_connections_per_peer)
        self._lock = threading.Lock()
        # What is open, by its socket, with what all connections of its peer have in common.
        self._admitted: dict[Any, Any] = {}
        self._per_peer: dict[Any, int] = {}
        self._served: set[ServerConnection] = set()
        # Those whose end interceptors are told of.
        self._watched: dict[ServerConnection, Interception] = {}
        self._taken_over: dict[Any, socket] = {}
        self._refused = 0
        self._quiet_until = 0.0

    def __len__(self) -> int:
        return len(self._admitted)

    # ---- the door

    def admit(self, request: Any) -> Peer | None:
        """Count a new connection. None if it would be one too many (rule S7): it is to be closed."""
        peer = Peer(request)
        key = peer.key
        with self._lock:
            of_peer = self._per_peer.get(key, 0)
            if len(self._admitted) < self._most and of_peer < self._most_per_peer:
                self._admitted[request] = key
                try:
                    self._per_peer[key] = of_peer + 1
                except MemoryError:
                    del self._admitted[request]
                    raise
                return peer
            self._refused += 1
            refused, now = self._refused, time.monotonic()
            if now < self._quiet_until:
                return None
            self._refused, self._quiet_until = 0, now + SILENCE
        logger.warning(
            "%d connections have been refused, the last one from %s: %d are open, %d of them from there. "
            "The limits are %d and %d.",
            refused, peer, len(self._admitted), of_peer, self._most, self._most_per_peer,
        )  # fmt: skip
        return None

    def leave(self, request: Any) -> None:
        """A connection is over."""
        with self._lock:
            if request not in self._admitted:
                return
            key = self._admitted.pop(request)
            self._per_peer[key] -= 1
            if not self._per_peer[key]:
                del self._per_peer[key]
        self._ended()

    # ---- what the reactor serves

    def make(self, request: Any, peer: Peer | None, service: Service) -> ServerConnection:
        """A connection that is ready to be started."""
        rights = service.uses_descriptors and request.family == AF_UNIX
        if request.family == AF_UNIX and not rights:
            accept_descriptors(request, False)
        connection = ServerConnection(
            request, self._server, service._table, self.terms, peer, rights, service.upgrades
        )
        self._served.add(connection)
        if service.interception is not None:
            self._watched[connection] = service.interception
            service.interception.opened(connection)
        return connection

    def start_all(self, reactor: Reactor) -> None:
        """Have a reactor serve those that another one has served before."""
        for connection in list(self._served):
            connection.start(reactor)

    def _over(self, connection: ServerConnection) -> None:
        self._served.discard(connection)
        try:
            watching = self._watched.pop(connection, None)
            if watching is not None:
                watching.closed(connection)
        except Exception:
            logger.exception(INTERCEPTOR_FAILED)
        finally:
            self.leave(connection.request)

    # ---- what has left Varlink

    def _upgraded(
        self,
        connection: ServerConnection,
        function: Callable[[Any], Any],
        early: bytes,
        own_loop: OwnLoop,
    ) -> None:
        request = connection.request
        endpoint = UpgradedSocket(request, early) if early else request
        self._served.discard(connection)
        if self.takeovers is not None and is_asynchronous(function):
            self.takeovers.start(function, endpoint, partial(self._over, connection))
            return
        self._taken_over[request] = endpoint

        def run() -> None:
            try:
                take_over(function, endpoint, own_loop)
            finally:
                self._taken_over.pop(request, None)
                self._over(connection)

        try:
            threading.Thread(target=run, name="fastvarlink upgrade", daemon=True).start()
        except (RuntimeError, MemoryError) as failure:
            logger.error("An upgraded connection has been closed, as no thread can be started: %s", failure)
            self._taken_over.pop(request, None)
            endpoint.close()
            self._over(connection)

    # ---- the end

    def finish(self, patient: bool) -> None:
        """Close each when the calls that have arrived are answered and its stream is at its end.

        If ``patient``, no connection is closed before it has brought a call.
        """
        for connection in list(self._served):
            connection.finish(patient)

    def close(self) -> None:
        """Close all, as soon as their handlers let them."""
        for connection in list(self._served):
            connection.close()
        for endpoint in list(self._taken_over.values()):
            with contextlib.suppress(OSError):
                endpoint.shutdown(SHUT_RDWR)


def take_over(function: Callable[[Any], Any], endpoint: socket, own_loop: OwnLoop) -> None:
    """Run what took over a connection, and close the socket afterwards."""
    try:
        if is_asynchronous(function):
            endpoint.setblocking(False)
            own_loop.wait_for(function(endpoint))
        else:
            function(endpoint)
    except Exception:
        logger.exception(CLOSED_BY_ERROR)
    finally:
        end(endpoint)


def end(endpoint: socket) -> None:
    """Close a socket, whoever else has it open."""
    with contextlib.suppress(OSError):
        endpoint.shutdown(SHUT_RDWR)
    endpoint.close()
