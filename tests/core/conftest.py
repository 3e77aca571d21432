"""Servers and clients for each test, ended with it."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import fastvarlink

from .serving import INTERFACE, Running, make_service


@pytest.fixture
def serve() -> Iterator[Callable[..., Running]]:
    """Serve a handler object: serve(handler, server_class, handler_class)."""
    started: list[Running] = []

    def start(
        handler: Any, server_class: Any = fastvarlink.ThreadingServer, handler_class: Any = None
    ) -> Running:
        service: Any = make_service(handler)
        if handler_class is not None:
            service = type("Handler", (handler_class,), {"service": service})
        started.append(Running(server_class, service))
        return started[-1]

    yield start
    for running in started:
        running.end()


@pytest.fixture
def gate(serve: Callable[..., Running]) -> Iterator[threading.Event]:
    """What handlers wait for. It opens at the latest before the servers are ended."""
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def open_client() -> Iterator[Callable[[Running], Any]]:
    """A handler of the interface, made by a client of its own."""
    opened: list[Any] = []

    def start(running: Running) -> Any:
        with fastvarlink.Client(running.address) as client:
            opened.append(client.open(INTERFACE))
        return opened[-1]

    yield start
    for handler in opened:
        handler.close()


@pytest.fixture
def _eager_threads() -> Iterator[None]:
    """Threads change places as often as the interpreter can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)
