"""When a server is closed, no descriptor, thread or socket file is left behind."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from wire.eventually import eventually
from wire.rawstream import PATIENCE, RawStream, call
from wire.sample import INTERFACE, RunningServer

from .process import descriptors, tasks, threads

PING = f"{INTERFACE}.Ping"
StartServer = Callable[[], RunningServer]


def idle(server: RunningServer, streams: list[RawStream]) -> None:
    """Connections that have made a call each."""
    for stream in streams:
        stream.send(call(PING, {"text": "x"}))
        assert stream.read_reply() == {"parameters": {"text": "x"}}


def unfinished(server: RunningServer, streams: list[RawStream]) -> None:
    """Connections in the middle of a frame."""
    for stream in streams:
        stream.send(call(PING, {"text": "x"})[:20])


def streaming(server: RunningServer, streams: list[RawStream]) -> None:
    """Connections that do not read the stream that they asked for."""
    for stream in streams:
        stream.send(call(f"{INTERFACE}.Endless", {"size": 10_000}, more=True))
        stream.read_reply()


def held(server: RunningServer, streams: list[RawStream]) -> None:
    """Connections whose handlers wait at the gate, which is opened when the server is stopped."""
    for stream in streams:
        stream.send(call(f"{INTERFACE}.Hold", {"text": "x"}))
    server.state.wait_for_arrival(len(streams))


def held_streams(server: RunningServer, streams: list[RawStream]) -> None:
    """Connections whose streams wait at the gate, which is opened when the server is stopped."""
    for stream in streams:
        stream.send(call(f"{INTERFACE}.Gated", more=True))
    server.state.wait_for_arrival(len(streams))


def broken(server: RunningServer, streams: list[RawStream]) -> None:
    """Connections that the server has closed, some after an answer."""
    for i, stream in enumerate(streams):
        stream.send(call(PING, {"text": "x"}) * (i % 2) + b"garbage\0")


Busy = Callable[[RunningServer, list[RawStream]], None]


@pytest.mark.parametrize("leaves", ["client first", "server first"])
@pytest.mark.parametrize("busy", [idle, unfinished, streaming, held, held_streams, broken])
def test_nothing_is_left_after_server_close(start_server: StartServer, busy: Busy, leaves: str) -> None:
    # What is made once and kept (imports, caches) is made by the first round.
    start_server().stop()
    open_before, threads_before, tasks_before = descriptors(), threads(), tasks()
    server = start_server()
    with ExitStack() as streams:
        made = [streams.enter_context(RawStream.connect(server.address)) for _ in range(16)]
        busy(server, made)
        if leaves == "server first":
            server.stop()
    if leaves == "client first":
        server.stop()
    eventually(lambda: descriptors() <= open_before, "all descriptors are closed")
    eventually(lambda: threads() <= threads_before, "all threads have ended")
    eventually(lambda: tasks() <= tasks_before, "the kernel has no more threads than before")
    assert not os.path.exists(server.address.removeprefix("unix:"))


def test_generators_are_closed_with_the_server(start_server: StartServer) -> None:
    server = start_server()
    with RawStream.connect(server.address) as stream:
        streaming(server, [stream])
        server.stop()
    assert server.state.endless_closed.wait(PATIENCE), "The generator has not been closed."


def test_clients_see_the_end_of_the_server(start_server: StartServer) -> None:
    server = start_server()
    with RawStream.connect(server.address) as stream:
        idle(server, [stream])
        server.stop()
        stream.expect_end()


def test_nothing_is_left_of_many_servers(start_server: StartServer) -> None:
    start_server().stop()
    open_before, threads_before = descriptors(), threads()
    for _ in range(20):
        server = start_server()
        with RawStream.connect(server.address) as stream:
            idle(server, [stream])
        server.stop()
    eventually(lambda: descriptors() <= open_before, "all descriptors are closed")
    eventually(lambda: threads() <= threads_before, "all threads have ended")


@pytest.fixture
def _restless() -> Iterator[None]:
    """Threads change places all the time, which finds the moments in which something can get lost."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("_restless")
def test_a_server_that_is_stopped_as_it_starts(start_server: StartServer) -> None:
    for _ in range(200):
        start_server().stop()


@pytest.mark.usefixtures("_restless")
def test_a_server_that_is_stopped_as_it_accepts(start_server: StartServer) -> None:
    start_server().stop()
    open_before = descriptors()
    for _ in range(100):
        server = start_server()
        with ExitStack() as streams:
            for _ in range(16):
                stream = streams.enter_context(RawStream.connect(server.address))
                stream.send(b"garbage\0")
            server.stop()
        eventually(lambda: descriptors() <= open_before, "all descriptors are closed")
