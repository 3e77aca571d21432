"""A server in a thread, and how it is ended whatever the test has done to it."""

from __future__ import annotations

import threading
import uuid
from typing import Any

import fastvarlink

from .sample import PATIENCE


def fresh_address() -> str:
    """An abstract address that nobody else uses."""
    return f"unix:@fastvarlink-dropin-{uuid.uuid4().hex}"


def handler_class(service: fastvarlink.Service) -> type[fastvarlink.RequestHandler]:
    """A request handler as programs write it."""
    return type("ServiceRequestHandler", (fastvarlink.RequestHandler,), {"service": service})


def interfaces_at(address: str) -> list[str]:
    """The interfaces of the service at an address.

    Client.get_interfaces() will not do for a ForkingServer in this process: its child has inherited the
    client's socket and sees the end only where the connection is shut down, not merely closed.
    """
    with fastvarlink.Client(address) as client, client.open("org.varlink.service") as service:
        interfaces: list[str] = service.GetInfo()["interfaces"]
        return interfaces


class Running:
    """A server that serves in a thread of its own."""

    def __init__(self, server: Any, address: str) -> None:
        self.server = server
        self.address = address
        self.thread = threading.Thread(target=server.serve_forever, daemon=True)
        self.thread.start()
        # Only a server that has answered is known to have reached its loop.
        assert "org.varlink.service" in interfaces_at(address)

    def wait_until_returned(self) -> None:
        """Wait for serve_forever() to return."""
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive(), "serve_forever() has not returned."

    def end(self) -> None:
        """Shut down and close. May be called again."""
        if self.thread.is_alive():
            self.server.shutdown()
        self.server.server_close()
        self.wait_until_returned()
