"""A server for each test, and room for the descriptors of a thousand connections."""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from wire.rawstream import RawStream
from wire.sample import RunningServer

#: Both ends of each connection are in this process.
DESCRIPTORS = 4096


@pytest.fixture(scope="session", autouse=True)
def _descriptors() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < DESCRIPTORS:
        pytest.fail(f"These tests need {DESCRIPTORS} descriptors; the hard limit is {hard}.")
    if soft != resource.RLIM_INFINITY and soft < DESCRIPTORS:
        resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[Callable[[], RunningServer]]:
    """Start a server; whoever stops it before the end of the test calls stop() on it."""
    running: list[RunningServer] = []

    def start() -> RunningServer:
        place = tmp_path / str(len(running))
        place.mkdir()
        running.append(RunningServer(place))
        return running[-1]

    yield start
    for server in running:
        if not server.stopped:
            server.stop()


@pytest.fixture
def server(start_server: Callable[[], RunningServer]) -> RunningServer:
    return start_server()


@pytest.fixture
def connect() -> Iterator[Callable[[RunningServer], RawStream]]:
    """Connect to a server; the stream is closed after the test."""
    with ExitStack() as streams:
        yield lambda server: streams.enter_context(RawStream.connect(server.address))
