"""How a Service is served: the servers, which are above it, say so when they are imported."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

# Called with the service, the addresses, and serve()'s keywords.
serve: Callable[..., None] | None = None
# Called with the service, a connected socket, limits, and whether they are strict.
serve_connection: Callable[..., None] | None = None

_NO_SERVER = "There is no server to run the service: import fastvarlink.server first."


def run(service: Any, *addresses: str, **options: Any) -> None:
    """Serve a service until it is told to end."""
    if serve is None:
        raise RuntimeError(_NO_SERVER)
    serve(service, *addresses, **options)


def run_connection(service: Any, connection: Any, *how: Any) -> None:
    """Serve one connection until it is over."""
    if serve_connection is None:
        raise RuntimeError(_NO_SERVER)
    serve_connection(service, connection, *how)


def run_in_loop(service: Any, *how: Any) -> None:
    """Serve a service with handlers that are coroutines, in an event loop of its own."""
    import_module("fastvarlink.aio.server").serve_sockets_in_loop(service, *how)


async def run_async(service: Any, *addresses: str, **options: Any) -> None:
    """Serve a service in the running event loop."""
    # Imported when it is needed, as programs without an event loop should not have to wait for asyncio.
    await import_module("fastvarlink.aio").serve(service, *addresses, **options)


async def run_connection_async(service: Any, connection: Any, *how: Any) -> None:
    """Serve one connection in the running event loop."""
    await import_module("fastvarlink.aio.server").serve_connection(service, connection, *how)
