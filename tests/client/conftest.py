"""A server for each test, and clients of it, ended when the test is over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

import fastvarlink
from wire.sample import DESCRIPTION, INTERFACE, RunningServer


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    running = RunningServer(tmp_path)
    yield running
    running.stop()


@pytest.fixture
def client(server: RunningServer) -> Iterator[fastvarlink.Client]:
    with fastvarlink.Client(server.address) as made:
        yield made


@pytest.fixture
def open_handler(server: RunningServer) -> Iterator[Callable[..., Any]]:
    """A handler of the sample interface, by a client with these options."""
    with ExitStack() as opened:

        def start(**options: Any) -> Any:
            client = opened.enter_context(fastvarlink.Client(server.address, **options))
            # Asking for it would have to be in time, too.
            client.add_interface(fastvarlink.Interface(DESCRIPTION))
            return opened.enter_context(client.open(INTERFACE))

        yield start


@pytest.fixture
def make_pool(server: RunningServer) -> Iterator[Callable[..., fastvarlink.Pool]]:
    """A pool of connections to the server, with these options."""
    with ExitStack() as made:
        yield lambda **options: made.enter_context(fastvarlink.Pool(server.address, **options))
