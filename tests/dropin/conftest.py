"""A running service for each test, ended with everything that was opened to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import fastvarlink

from .sample import INTERFACE, State, make_service
from .serving import Running, fresh_address, handler_class


@pytest.fixture
def state() -> Iterator[State]:
    made = State()
    yield made
    made.gate.set()


@pytest.fixture
def service(tmp_path: Path, state: State) -> fastvarlink.Service:
    return make_service(tmp_path, state)


@pytest.fixture
def serve() -> Iterator[Callable[..., Running]]:
    """Serve a Service: serve(service, server_class=..., address=...)."""
    started: list[Running] = []

    def start(
        service: fastvarlink.Service,
        server_class: Any = fastvarlink.ThreadingServer,
        address: str | None = None,
    ) -> Running:
        address = address or fresh_address()
        running = Running(server_class(address, handler_class(service)), address)
        started.append(running)
        return running

    yield start
    for running in started:
        running.end()


@pytest.fixture
def running(serve: Callable[..., Running], service: fastvarlink.Service, state: State) -> Iterator[Running]:
    yield serve(service)
    state.gate.set()


@pytest.fixture
def client(running: Running) -> Iterator[fastvarlink.Client]:
    with fastvarlink.Client(running.address) as made:
        yield made


@pytest.fixture
def example(client: fastvarlink.Client) -> Iterator[Any]:
    """A handler of the sample interface, as open() makes it."""
    with client.open(INTERFACE) as handler:
        yield handler
