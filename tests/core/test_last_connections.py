"""What a thread has just accepted when a server is told to end is served like all accepted before."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

import fastvarlink
from fastvarlink.server.connections import Connections

from .serving import PATIENCE, Running, call


def wait_until(over: Callable[[], bool]) -> None:
    """Wait for what nobody tells of."""
    deadline = time.monotonic() + PATIENCE
    while not over():
        assert time.monotonic() < deadline
        time.sleep(0.001)


class Pinging:
    def Ping(self) -> None:
        pass


class Deliberate(fastvarlink.ThreadingServer):
    """From some time on, a thread that has accepted a connection keeps it in its hands for a while."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self.deliberate = threading.Event()
        self.held = threading.Event()
        self.go_on = threading.Event()
        self.handed_on = threading.Event()
        super().__init__(*arguments, **options)

    def get_request(self) -> tuple[Any, Any]:
        accepted = super().get_request()
        if self.deliberate.is_set():
            self.held.set()
            assert self.go_on.wait(PATIENCE)
        return accepted

    def process_request(self, request: Any, client_address: Any) -> None:
        super().process_request(request, client_address)
        self.handed_on.set()


def test_the_end_of_another_is_not_the_end_of_all(serve: Callable[..., Running]) -> None:
    """The server stopped when its last open connection ended, while a thread had one more in hand."""
    running = serve(Pinging(), Deliberate)
    server = running.server
    first = running.connect()
    assert first.ask("Ping") == {}
    server.deliberate.set()
    second = running.connect()
    second.send(call("Ping"))
    assert server.held.wait(PATIENCE)
    server.drain()
    assert first.ended()
    assert running.thread.runs_on()
    server.go_on.set()
    assert second.reply() == {}
    assert second.ended()
    running.thread.result()


def test_one_that_is_let_in_while_the_others_are_counted_counts(
    serve: Callable[..., Running], gate: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was not among the open ones at the first look, and in nobody's hands at the second."""

    class Holding(Pinging):
        def Hold(self) -> None:
            assert gate.wait(PATIENCE)

    running = serve(Holding(), Deliberate)
    server = running.server
    running._raw.pop().close()
    wait_until(lambda: len(server._connections) == 0)
    server.deliberate.set()
    raw = running.connect()
    raw.send(call("Hold"))
    assert server.held.wait(PATIENCE)
    server.handed_on.clear()
    count = Connections.__len__

    def slow(self: Connections) -> int:
        found = count(self)
        monkeypatch.undo()
        server.go_on.set()
        assert server.handed_on.wait(PATIENCE)
        wait_until(lambda: not any(acceptor.taking for acceptor in server._acceptors))
        return found

    monkeypatch.setattr(Connections, "__len__", slow)
    server.drain()
    server.go_on.set()
    assert running.thread.runs_on()
    gate.set()
    assert raw.reply() == {}
    assert raw.ended()
    running.thread.result()
