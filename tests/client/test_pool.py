"""A pool of connections: which one a call gets, waiting for one, and what becomes of those that end."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import fastvarlink
from core.serving import Background
from fastvarlink import DeadlineExceeded
from fastvarlink.error import ConnectionLost, ForkDetected
from wire.eventually import eventually
from wire.sample import DESCRIPTION, INTERFACE, RunningServer

from .typed import WireClient

MakePool = Callable[..., fastvarlink.Pool]


def wait_for_connections(server: RunningServer, count: int) -> None:
    """Wait until the system tells of so many connections to the server, which closes its ends in time."""
    path = server.address.removeprefix("unix:")

    def connected() -> int:
        lines = Path("/proc/net/unix").read_text().splitlines()
        return sum(line.endswith(f" {path}") and line.split()[5] == "03" for line in lines)

    eventually(lambda: connected() == count, f"there are {count} connections")


def test_a_pool_is_used_like_a_client(server: RunningServer, make_pool: MakePool) -> None:
    pool = make_pool()
    assert str(pool) == server.address
    assert INTERFACE in pool.get_interfaces()
    assert pool.info["vendor"] == "Example"
    assert pool.get_interface(INTERFACE).name == INTERFACE
    with pool.open(INTERFACE) as handler, pool.open(WireClient) as typed:
        assert handler.Ping("x") == {"text": "x"}
        assert handler.Ping("x", _oneway=True) is None
        assert typed.Ping("y") == {"text": "y"}
        assert [reply["i"] for reply in handler.Count(3, _more=True)] == [0, 1, 2]
        with pytest.raises(handler.Failed):
            handler.Fail("why", 7)
    # Handlers that are closed leave the pool open.
    assert pool.open(INTERFACE, namespaced=True).Ping("z").text == "z"
    wait_for_connections(server, 1)
    with pytest.raises(fastvarlink.InterfaceNotFound):
        pool.open("org.example.missing")
    with pytest.raises(TypeError, match="neither the name of an interface nor"):
        pool.open(fastvarlink.AsyncTypedClient)  # type: ignore[call-overload]
    with pytest.raises(ValueError, match="0 connections"):
        fastvarlink.Pool(server.address, size=0)


def test_a_definition_is_asked_for_once(server: RunningServer, make_pool: MakePool) -> None:
    pool = make_pool()
    pool.open(INTERFACE)
    pool._client.get_interface = None  # type: ignore[method-assign, assignment]
    assert pool.open(INTERFACE).Ping("x") == {"text": "x"}
    other = make_pool()
    other.add_interface(fastvarlink.Interface(DESCRIPTION))
    other._client.get_interface = None  # type: ignore[method-assign, assignment]
    assert other.open(INTERFACE).Ping("x") == {"text": "x"}


def test_there_are_no_more_connections_than_calls_at_once_nor_than_the_size(
    server: RunningServer, make_pool: MakePool
) -> None:
    handler = make_pool(size=3).open(INTERFACE)
    for _ in range(5):
        handler.Ping("x")
    wait_for_connections(server, 1)
    holding = [Background(handler.Hold, str(i)) for i in range(3)]
    server.state.wait_for_arrival(3)
    waiting = [Background(handler.Ping, str(i)) for i in range(5)]
    assert all(each.runs_on(0.01) for each in waiting)
    wait_for_connections(server, 3)
    server.state.gate.set()
    assert [each.result() for each in holding] == [{"text": str(i)} for i in range(3)]
    assert [each.result() for each in waiting] == [{"text": str(i)} for i in range(5)]
    wait_for_connections(server, 3)


def test_who_waits_longest_is_first(server: RunningServer, make_pool: MakePool) -> None:
    handler = make_pool(size=1).open(INTERFACE)
    holding = Background(handler.Hold, "x")
    server.state.wait_for_arrival()
    waiting = []
    for i in range(5):
        waiting.append(Background(handler.Record, str(i)))
        assert waiting[-1].runs_on(0.02)
    server.state.gate.set()
    for each in (holding, *waiting):
        each.result()
    assert server.state.recorded == ["0", "1", "2", "3", "4"]


def test_waiting_for_a_connection_takes_from_the_time(server: RunningServer, make_pool: MakePool) -> None:
    handler = make_pool(size=1, timeout=60).open(INTERFACE)
    holding = Background(handler.Hold, "x")
    server.state.wait_for_arrival()
    with pytest.raises(DeadlineExceeded, match=r"Record was not sent within 0\.05 seconds"):
        handler.Record("y", _timeout=0.05)
    with pytest.raises(DeadlineExceeded, match=r"Count was not sent within 0\.05 seconds"):
        next(handler.Count(3, _more=True, _timeout=0.05))
    behind = Background(handler.Ping, "z")
    server.state.gate.set()
    assert holding.result() == {"text": "x"}
    assert behind.result() == {"text": "z"}
    assert server.state.recorded == []


def test_a_call_that_took_too_long_costs_its_connection(server: RunningServer, make_pool: MakePool) -> None:
    handler = make_pool(size=1, timeout=0.05).open(INTERFACE)
    for _ in range(3):
        with pytest.raises(DeadlineExceeded):
            handler.Hold("x")
        assert handler.Ping("y", _timeout=60) == {"text": "y"}


def test_a_stream_keeps_its_connection(server: RunningServer, make_pool: MakePool) -> None:
    handler = make_pool(size=2).open(INTERFACE)
    one, two = handler.Count(3, _more=True), handler.Count(3, _more=True)
    wait_for_connections(server, 0)
    assert (next(one), next(two)) == ({"i": 0}, {"i": 0})
    waiting = Background(handler.Ping, "x")
    assert waiting.runs_on(0.02)
    assert [reply["i"] for reply in one] == [1, 2]
    assert waiting.result() == {"text": "x"}
    assert handler.Ping("y") == {"text": "y"}
    assert [reply["i"] for reply in two] == [1, 2]
    wait_for_connections(server, 2)


@pytest.mark.parametrize("way", ["close", "forget", "fail"])
def test_a_stream_that_is_left_makes_room(server: RunningServer, make_pool: MakePool, way: str) -> None:
    handler = make_pool(size=1).open(INTERFACE)
    for _ in range(3):
        stream = handler.CountAndFail(_more=True) if way == "fail" else handler.Endless(10, _more=True)
        next(stream)
        if way == "close":
            stream.close()
        elif way == "fail":
            with pytest.raises(handler.Failed):
                next(stream)
        del stream
        gc.collect()
        assert handler.Ping("x", _timeout=10) == {"text": "x"}


def test_a_stream_that_another_thread_reads_is_left(server: RunningServer, make_pool: MakePool) -> None:
    handler = make_pool(size=1).open(INTERFACE)
    for _ in range(10):
        stream = handler.Gated(_more=True)
        next(stream)
        reading = Background(next, stream)
        assert reading.runs_on(0.01)
        stream.close()
        with pytest.raises((ConnectionLost, StopIteration)):
            reading.result()
        assert handler.Ping("x", _timeout=10) == {"text": "x"}


def test_connections_that_ended_while_idle_are_replaced(tmp_path: Path) -> None:
    running = RunningServer(tmp_path)
    with fastvarlink.Pool(running.address, size=4) as pool:
        handler = pool.open(INTERFACE)
        holding = [Background(handler.Hold, "x") for _ in range(4)]
        running.state.wait_for_arrival(4)
        running.state.gate.set()
        for each in holding:
            each.result()
        running.stop()
        with pytest.raises(OSError):  # noqa: PT011  (nobody is there)
            handler.Ping("x")
        running = RunningServer(tmp_path)
        try:
            for _ in range(8):
                assert handler.Ping("x") == {"text": "x"}
            assert [reply["i"] for reply in handler.Count(3, _more=True)] == [0, 1, 2]
        finally:
            running.stop()


def test_a_connection_that_cannot_be_made_leaves_room_for_another(tmp_path: Path) -> None:
    with fastvarlink.Pool(f"unix:{tmp_path}/socket", size=1) as pool:
        handler = pool.open(WireClient)
        for _ in range(3):
            with pytest.raises(FileNotFoundError):
                handler.Ping("x")
        running = RunningServer(tmp_path)
        try:
            assert handler.Ping("x") == {"text": "x"}
        finally:
            running.stop()


def test_closing_ends_what_waits(server: RunningServer, make_pool: MakePool) -> None:
    pool = make_pool(size=2)
    handler = pool.open(INTERFACE)
    stream = handler.Gated(_more=True)
    next(stream)
    waiting = [Background(handler.Hold, "x")]
    server.state.wait_for_arrival()
    waiting += [Background(handler.Ping, "x") for _ in range(3)]
    assert all(each.runs_on(0.02) for each in waiting)
    pool.close()
    for each in waiting:
        with pytest.raises(ConnectionLost, match="closed by this program"):
            each.result()
    with pytest.raises(ConnectionLost):
        next(stream)
    with pytest.raises(ConnectionLost, match="The pool has been closed"):
        handler.Ping("x")
    server.state.gate.set()
    wait_for_connections(server, 0)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of forks beside threads
def test_a_fork_makes_connections_of_its_own(server: RunningServer, make_pool: MakePool) -> None:
    handler = make_pool(size=2).open(INTERFACE)
    handler.Ping("x")
    stream = handler.Count(3, _more=True)
    assert next(stream) == {"i": 0}
    child = os.fork()
    if child == 0:
        status = 1
        try:
            try:
                next(stream)
            except ForkDetected:
                stream.close()
                assert [handler.Ping(str(i)) for i in range(3)] == [{"text": str(i)} for i in range(3)]
                status = 0
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    assert [reply["i"] for reply in stream] == [1, 2]
    assert handler.Ping("y") == {"text": "y"}


def test_an_upgrade_takes_its_connection_out_of_the_pool(tmp_path: Path) -> None:
    service = fastvarlink.Service(vendor="", product="", version="", url="")

    @fastvarlink.interface("org.example.shell")
    class Shell:
        """Talks back."""

        @fastvarlink.method(upgrade=True)
        def Start(self, _context: Any) -> None:
            _context.take_over(lambda connection: connection.sendall(connection.recv(100).upper()))

        @fastvarlink.method(returns="text")
        def Echo(self, text: str) -> str:
            return text

    service.interface(Shell)
    running = RunningServer(tmp_path, service=service)
    try:
        with fastvarlink.Pool(running.address, size=1) as pool:
            shell = pool.open("org.example.shell")
            assert shell.Echo("x") == {"text": "x"}
            result, connection = shell.Start(_upgrade=True)
            with connection:
                assert result == {}
                assert shell.Echo("y", _timeout=10) == {"text": "y"}
                connection.sendall(b"loud")
                assert connection.recv(100) == b"LOUD"
    finally:
        running.stop()
