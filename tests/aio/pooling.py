"""A service that tells its connections apart, and a pool of connections to it in the same loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest

import fastvarlink
from fastvarlink import aio
from wire.rawstream import frame
from wire.sample import DESCRIPTION
from wire.sample import INTERFACE as WIRE
from wire.scripted import Script, ScriptedPeer

from . import running
from .running import LOOPS, finished
from .serving import served

INTERFACE = "org.example.pooled"
ONE, TWO = (frame({"parameters": {"text": text}}) for text in ("one", "two"))

Run = Callable[..., None]


@pytest.fixture(params=LOOPS)
def run(request: pytest.FixtureRequest) -> Run:
    """Runs the coroutine of a test in each kind of loop, and sees that nothing is left of it."""
    return lambda main, **options: running.run(main, request.param, **options)


@fastvarlink.interface(INTERFACE)
class Handlers:
    """A service that tells over which connection it was called."""

    def __init__(self) -> None:
        self.numbers = count()
        self.gate = asyncio.Event()
        self.arrived = asyncio.Semaphore(0)
        self.recorded: list[str] = []

    def _number(self, context: fastvarlink.Context) -> int:
        if "number" not in context.state:
            context.state["number"] = next(self.numbers)
        number: int = context.state["number"]
        return number

    @fastvarlink.method(returns="connection")
    async def Which(self, _context: fastvarlink.Context) -> int:
        return self._number(_context)

    @fastvarlink.method(returns="connection")
    async def Hold(self, _context: fastvarlink.Context) -> int:
        number = self._number(_context)
        self.arrived.release()
        await self.gate.wait()
        return number

    @fastvarlink.method(returns="connection")
    async def Record(self, text: str, _context: fastvarlink.Context) -> int:
        self.recorded.append(text)
        return self._number(_context)

    @fastvarlink.method(returns="connection")
    async def Repeat(self, n: int, _context: fastvarlink.Context) -> AsyncIterator[int]:
        for _ in range(n):
            yield self._number(_context)

    @fastvarlink.method(upgrade=True)
    async def Upgrade(self, _context: fastvarlink.Context) -> None:
        _context.take_over(lambda connection: connection.sendall(connection.recv(100).upper()))


class Sample:
    """The service in the loop, and a handler of a pool of connections to it."""

    def __init__(self, handlers: Handlers, pool: aio.Pool, handler: Any) -> None:
        self.handlers = handlers
        self.pool = pool
        self.handler = handler

    async def hold(self, calls: int) -> list[asyncio.Task[Any]]:
        """So many calls that wait at the gate."""
        holding = [asyncio.create_task(self.handler.Hold()) for _ in range(calls)]
        for _ in holding:
            await self.handlers.arrived.acquire()
        return holding

    async def let_go(self, holding: list[asyncio.Task[Any]]) -> list[int]:
        """The connections of calls that waited at the gate."""
        self.handlers.gate.set()
        return sorted([result["connection"] for result in await asyncio.gather(*holding)])


@asynccontextmanager
async def pooled(directory: Path, **options: Any) -> AsyncIterator[Sample]:
    """A service in this loop and a pool of connections to it."""
    service = fastvarlink.Service()
    handlers = Handlers()
    service.interface(handlers)
    address = f"unix:{directory}/socket"
    async with served(service, address), aio.Pool(address, **options) as pool:
        yield Sample(handlers, pool, await pool.open(INTERFACE))


@asynccontextmanager
async def at(peer: ScriptedPeer, *scripts: Script, **options: Any) -> AsyncIterator[Any]:
    """A handler of the sample interface at a peer that follows scripts."""
    peer.start(*scripts)
    async with aio.Pool(peer.address, **options) as pool:
        pool.add_interface(fastvarlink.Interface(DESCRIPTION))
        yield await pool.open(WIRE)
    await finished(peer)


async def connections(replies: Any) -> set[int]:
    """Over which connections the replies of a stream have come."""
    return {reply["connection"] async for reply in replies}


@pytest.fixture
def peer(tmp_path: Path) -> Iterator[ScriptedPeer]:
    """As it is elsewhere, but it writes its replies whole: here it matters when they come, not how."""
    scripted = ScriptedPeer(tmp_path, "whole")
    yield scripted
    scripted.close()
