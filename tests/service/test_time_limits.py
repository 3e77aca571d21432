"""Handlers that have a time limit, over every way to serve that notices."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

import fastvarlink
from fastvarlink.error import TimedOut
from wire.rawstream import PATIENCE
from wire.sample import RunningServer

LIMIT = 0.05
INTERFACE = "org.example.limits"


class State:
    """What a test sees of the handlers."""

    def __init__(self) -> None:
        self.cancelled = threading.Event()
        self.go = threading.Event()
        self.seen: list[Any] = []


class Plain:
    """Handlers that block."""

    def __init__(self, state: State) -> None:
        self.state = state

    @fastvarlink.method(timeout=LIMIT)
    def Hang(self, _context: fastvarlink.Context) -> dict[str, Any]:
        _context.on_end(self.state.cancelled.set)
        assert self.state.go.wait(PATIENCE)
        self.state.seen.append(_context.cancelled)
        return {"i": 1}

    @fastvarlink.method(timeout=LIMIT)
    def HangInStream(self, _context: fastvarlink.Context) -> Iterator[dict[str, Any]]:
        yield {"i": 0, "_continues": True}
        try:
            _context.on_end(self.state.cancelled.set)
            assert self.state.go.wait(PATIENCE)
            yield {"i": 1, "_continues": True}
        finally:
            self.state.seen.append("closed")

    @fastvarlink.method(timeout=PATIENCE)
    def Quick(self, _context: fastvarlink.Context) -> dict[str, Any]:
        return {"i": int(_context.cancelled)}


class Awaited:
    """The same as coroutines."""

    def __init__(self, state: State) -> None:
        self.state = state

    @fastvarlink.method(timeout=LIMIT)
    async def Hang(self) -> dict[str, Any]:
        try:
            await asyncio.Event().wait()
        finally:
            self.state.seen.append("cancelled")
            self.state.cancelled.set()
        return {}

    @fastvarlink.method(timeout=LIMIT)
    async def HangInStream(self) -> AsyncIterator[dict[str, Any]]:
        yield {"i": 0, "_continues": True}
        try:
            await asyncio.Event().wait()
        finally:
            self.state.seen.append("closed")
            self.state.cancelled.set()

    @fastvarlink.method(timeout=PATIENCE)
    async def Quick(self, _context: fastvarlink.Context) -> dict[str, Any]:
        await asyncio.sleep(0)
        return {"i": int(_context.cancelled)}


WAYS = {"threads": Plain, "loop": Plain, "coroutines": Awaited, "tasks": Awaited}


@pytest.fixture
def state() -> State:
    return State()


@pytest.fixture(params=WAYS)
def handler(request: pytest.FixtureRequest, state: State, tmp_path: Path) -> Iterator[Any]:
    service = fastvarlink.Service()
    handlers = WAYS[request.param]
    service.interface(
        f"interface {INTERFACE}\n"
        "method Hang() -> (i: int)\nmethod HangInStream() -> (i: int)\nmethod Quick() -> (i: int)\n"
    )(type("Bound", (handlers,), {"__init__": lambda self: handlers.__init__(self, state)}))
    server = RunningServer(tmp_path, service=service, driver=request.param)
    with fastvarlink.Client(server.address) as client, client.open(INTERFACE) as opened:
        yield opened
    state.go.set()
    server.stop()


def test_a_handler_runs_out_of_time(handler: Any, state: State) -> None:
    for _ in range(2):
        with pytest.raises(TimedOut) as caught:
            handler.Hang()
        assert caught.value.parameters() == {"method": f"{INTERFACE}.Hang"}
        assert state.cancelled.wait(PATIENCE)
        # A handler that blocks is only told; what it returns reaches nobody.
        state.go.set()
        assert handler.Quick() == {"i": 0}
        assert state.seen.pop() in ("cancelled", True)
        state.cancelled.clear()
        state.go.clear()


def test_a_stream_runs_out_of_time(handler: Any, state: State) -> None:
    replies = handler.HangInStream(_more=True)
    assert next(replies) == {"i": 0}
    with pytest.raises(TimedOut):
        next(replies)
    assert state.cancelled.wait(PATIENCE)
    state.go.set()
    assert handler.Quick() == {"i": 0}
    assert state.seen == ["closed"]


def test_a_handler_that_is_quick(handler: Any) -> None:
    for _ in range(100):
        assert handler.Quick() == {"i": 0}


@pytest.mark.parametrize("wrong", [-1, float("nan"), "soon"])
def test_limits_that_are_none(wrong: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="timeout"):
        fastvarlink.method(timeout=wrong)
