"""The request handler: how a connection is served that does not go through the reactor."""

from __future__ import annotations

from collections.abc import Callable
from socket import AF_UNIX
from socketserver import StreamRequestHandler
from typing import Any

from fastvarlink._core.link import accept_descriptors, is_plain_socket
from fastvarlink._core.terms import Terms
from fastvarlink._core.waiting import WaitingConnection
from fastvarlink.limits import Limits
from fastvarlink.server.connections import take_over
from fastvarlink.server.upgraded import UpgradedSocket
from fastvarlink.service import Service


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
        terms = Terms(limits, getattr(self.server, "strict", True), None, self._upgraded)
        rights = False
        if is_plain_socket(self.request) and self.request.family == AF_UNIX:
            rights = self.service.uses_descriptors
            accept_descriptors(self.request, rights)
        WaitingConnection(
            self.request,
            self.server,
            self.service._table,
            terms,
            rights=rights,
            upgrades=is_plain_socket(self.request) and self.service.upgrades,
        ).serve()

    def _upgraded(self, connection: WaitingConnection, function: Callable[[Any], Any], early: bytes) -> None:
        request = connection.request
        take_over(function, UpgradedSocket(request, early) if early else request)


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


__all__ = ["RequestHandler", "handler_for", "service_of"]
