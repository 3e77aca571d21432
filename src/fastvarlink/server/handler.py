"""The request handler: how a connection is served that does not go through the reactor."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import ExitStack
from socket import AF_UNIX, socket
from socketserver import StreamRequestHandler
from typing import Any

from fastvarlink._core.link import accept_descriptors, is_plain_socket
from fastvarlink._core.terms import Terms
from fastvarlink._core.waiting import WaitingConnection
from fastvarlink.limits import Limits
from fastvarlink.peer import Peer
from fastvarlink.server.connections import INTERCEPTOR_FAILED, end, take_over
from fastvarlink.server.upgraded import UpgradedSocket
from fastvarlink.service import Service, runner
from fastvarlink.service.own_loop import OwnLoop

logger = logging.getLogger("fastvarlink.server")


class RequestHandler(StreamRequestHandler):
    """Says which service a server serves: subclass it and set ``service``.

    As long as a subclass changes nothing else, the server serves its connections without making an
    instance. One that overrides setup(), handle() or finish() is instantiated for each connection.
    """

    service: Service | None = None

    def handle(self) -> None:
        """Serve the connection on the calling thread until it is over."""
        assert self.service is not None
        limits = getattr(self.server, "limits", None) or Limits()
        _serve_waiting(self.service, self.request, limits, getattr(self.server, "strict", True), self.server)


def _serve_waiting(
    service: Service, request: Any, limits: Limits, strict: bool, server: Any = None, peer: Peer | None = None
) -> None:
    """Serve a connection on the calling thread until it is over. Closing the socket is left to the caller."""
    plain = is_plain_socket(request)
    rights = False
    if plain and request.family == AF_UNIX:
        rights = service.uses_descriptors
        accept_descriptors(request, rights)
    terms = Terms(limits, strict, None, _upgraded)
    served = WaitingConnection(
        request, server, service._table, terms, peer, rights, plain and service.upgrades
    )
    interception = service.interception
    if interception is None:
        served.serve()
        return
    interception.opened(served)
    try:
        served.serve()
    finally:
        try:
            interception.closed(served)
        except Exception:
            logger.exception(INTERCEPTOR_FAILED)


def _upgraded(
    connection: WaitingConnection, function: Callable[[Any], Any], early: bytes, own_loop: OwnLoop
) -> None:
    request = connection.request
    take_over(function, UpgradedSocket(request, early) if early else request, own_loop)


def check_connection(connection: Any) -> None:
    """TypeError if this is no socket."""
    if not isinstance(connection, socket):
        raise TypeError(f"A connected socket can be served, not a {type(connection).__qualname__}.")


def serve_connection(service: Service, connection: Any, limits: Limits, strict: bool) -> None:
    """See Service.serve_connection()."""
    check_connection(connection)
    with ExitStack() as undo:
        undo.callback(end, connection)
        # Should another thread close it, its number does not go to another file while it is read.
        undo.enter_context(connection.makefile("rb", buffering=0))
        if connection.gettimeout() == 0:
            # From an event loop. It would be taken for a time limit.
            connection.setblocking(True)
        peer = Peer(connection)
        undo.callback(peer.close)
        if service.admits(peer):
            _serve_waiting(service, connection, limits, strict, peer=peer)
        elif service.interception is not None:
            service.interception.refused(peer, "it may not connect")


def service_of(handler_class: Any) -> Service | None:
    """The service of a handler class that does nothing but name it; None for any other."""
    if not (isinstance(handler_class, type) and issubclass(handler_class, RequestHandler)):
        return None
    for name in ("__init__", "setup", "handle", "finish"):
        if getattr(handler_class, name) is not getattr(RequestHandler, name):
            return None
    return handler_class.service


def handler_for(given: Any) -> type[StreamRequestHandler]:
    """The handler class for what a server was given: the class itself, or one made for a Service."""
    if isinstance(given, Service):
        return type("ServiceRequestHandler", (RequestHandler,), {"service": given})
    handler_class: type[StreamRequestHandler] = given
    return handler_class


__all__ = ["RequestHandler", "check_connection", "handler_for", "service_of"]

runner.serve_connection = serve_connection
