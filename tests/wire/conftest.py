"""A server and a scripted peer for each test, on fresh sockets, ended when the test is over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import fastvarlink

from .aio_caller import LOOPS, AioClient, LoopInThread
from .drivers import DRIVERS
from .rawstream import Pieces, RawStream
from .sample import DESCRIPTION, INTERFACE, RunningServer, State
from .scripted import Script, ScriptedPeer


@pytest.fixture(params=["whole", "bytes"])
def pieces(request: pytest.FixtureRequest) -> Pieces:
    """How the raw side writes: every test runs both ways and must come out the same."""
    chosen: Pieces = request.param
    return chosen


@pytest.fixture(params=DRIVERS)
def driver(request: pytest.FixtureRequest) -> str:
    """How the server serves: every test runs over all ways, and must come out the same."""
    chosen: str = request.param
    return chosen


@pytest.fixture
def start_server(tmp_path: Path, driver: str) -> Iterator[Callable[..., RunningServer]]:
    """Start a server; keywords as for RunningServer."""
    running: list[RunningServer] = []

    def start(**options: Any) -> RunningServer:
        server = RunningServer(tmp_path, driver=driver, **options)
        running.append(server)
        return server

    yield start
    for server in running:
        server.stop()


@pytest.fixture
def server(start_server: Callable[..., RunningServer]) -> RunningServer:
    return start_server()


@pytest.fixture
def state(server: RunningServer) -> State:
    return server.state


@pytest.fixture
def connect(pieces: Pieces) -> Iterator[Callable[[RunningServer], RawStream]]:
    """Connect to a server; the stream is closed after the test."""
    streams: list[RawStream] = []

    def connect_to(server: RunningServer) -> RawStream:
        stream = RawStream.connect(server.address, pieces)
        streams.append(stream)
        return stream

    yield connect_to
    for stream in streams:
        stream.close()


@pytest.fixture
def stream(server: RunningServer, connect: Callable[[RunningServer], RawStream]) -> RawStream:
    """A connection to the server."""
    return connect(server)


@pytest.fixture
def peer(tmp_path: Path, pieces: Pieces) -> Iterator[ScriptedPeer]:
    scripted = ScriptedPeer(tmp_path, pieces)
    yield scripted
    scripted.close()


@pytest.fixture(scope="session")
def loops() -> Iterator[dict[str, LoopInThread]]:
    """Event loops for clients, each in a thread."""
    running = {kind: LoopInThread(kind) for kind in LOOPS}
    yield running
    for each in running.values():
        each.stop()


@pytest.fixture(params=["blocking", "asyncio"])
def client_driver(request: pytest.FixtureRequest) -> str:
    """Which client calls: a test runs with both, and must come out the same."""
    chosen: str = request.param
    return chosen


#: For tests of what only the blocking client has: threads that share it, and forks and signals beside them.
blocking_client_only = pytest.mark.parametrize("client_driver", ["blocking"], indirect=True)


@pytest.fixture
def make_client(
    client_driver: str, pieces: Pieces, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Any]]:
    """Makes a client; keywords as for fastvarlink.Client."""
    if client_driver == "blocking":
        yield fastvarlink.Client
        return
    # Each loop is used in one way: what comes in pieces, they hand on alike.
    running: LoopInThread = request.getfixturevalue("loops")["uvloop" if pieces == "whole" else "asyncio"]
    yield partial(AioClient, running)
    running.check()


class Caller:
    """A client of fastvarlink with one handler of the sample interface, at a scripted peer."""

    def __init__(self, peer: ScriptedPeer, client: Any) -> None:
        self.peer = peer
        self.client = client
        self.client.add_interface(fastvarlink.Interface(DESCRIPTION))
        self.handler: Any = self.client.open(INTERFACE)

    def close(self) -> None:
        self.handler.close()
        self.client.cleanup()


@pytest.fixture
def call_at(peer: ScriptedPeer, make_client: Callable[..., Any]) -> Iterator[Callable[..., Caller]]:
    """Start the peer with scripts, one for each connection, and connect a client to it."""
    callers: list[Caller] = []

    def start(*scripts: Script, **options: Any) -> Caller:
        peer.start(*scripts)
        caller = Caller(peer, make_client(peer.address, **options))
        callers.append(caller)
        return caller

    yield start
    for caller in callers:
        caller.close()
    peer.finish()


# Of the ways to serve in an event loop, one runs whole and byte by byte as the threads do. The other two
# differ from it behind the frame only, and run in one way each.
ONE_WAY = {"loop": "bytes", "tasks": "whole"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items[:] = [item for item in items if not _is_twice(item)]


def _is_twice(item: pytest.Item) -> bool:
    chosen = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
    wanted = ONE_WAY.get(chosen.get("driver", ""))
    if chosen.get("client_driver") == "asyncio" and item.path.stem == "test_json_cases":
        # Clients differ in front of the frame only, of which the other tests show enough.
        wanted = "whole"
    return wanted is not None and chosen.get("pieces", wanted) != wanted
