"""Storms: whatever is given up, left or dropped, a reply never reaches another call.

STORM_CALLS says how many calls are made in all, STORM_SEED makes the same choices again.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

import fastvarlink
from fastvarlink import aio
from fastvarlink.error import ConnectionLost, DeadlineExceeded
from wire.rawstream import PATIENCE, frame

from .serving import served

Run = Callable[..., None]

CALLS = int(os.environ.get("STORM_CALLS", "100000"))
SEED = int(os.environ.get("STORM_SEED", random.randrange(1 << 32)))
KINDS_OF_LOOPS = 3
HANDLERS = 4
TASKS = 24

DESCRIPTION = """\
interface org.example.storm

# Answers with the id, after some seconds, or drops the connection.
method Answer(id: int, delay: float, drop: bool) -> (id: int)

# Streams so many replies.
method Repeat(id: int, times: int, delay: float, drop: bool) -> (id: int, i: int)

# Is not answered.
method Note(id: int, delay: float, drop: bool) -> ()
"""


def open_sockets() -> int:
    """How many this process has. Of other descriptors, uvloop keeps some for itself."""
    count = 0
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(FileNotFoundError):
            count += os.readlink(f"/proc/self/fd/{name}").startswith("socket:")
    return count


async def none_is_left(before: int) -> None:
    """Wait until no more sockets are open than before: a loop closes some of them later."""
    async with asyncio.timeout(PATIENCE):
        while open_sockets() > before:
            await asyncio.sleep(0.01)


class Service:
    """Answers calls in their order, by raw bytes, as they say."""

    def __init__(self) -> None:
        self.connections: set[asyncio.Task[None] | None] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections.add(asyncio.current_task())
        try:
            while True:
                call = json.loads((await reader.readuntil(b"\0"))[:-1])
                await self._answer(call["parameters"], call.get("oneway", False), writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            # Either side has dropped it.
            pass
        finally:
            writer.close()
            self.connections.discard(asyncio.current_task())

    async def _answer(self, call: dict[str, Any], oneway: bool, writer: asyncio.StreamWriter) -> None:
        for i in range(call.get("times", 1)):
            if call["delay"]:
                await asyncio.sleep(call["delay"])
            if writer.is_closing():
                raise ConnectionResetError
            reply = {"id": call["id"]} | ({"i": i} if "times" in call else {})
            data = frame({"parameters": reply, "continues": i + 1 < call.get("times", 1)})
            if call["drop"]:
                if not oneway:
                    # Before, in the middle of, or behind a reply.
                    writer.write(data[: call["id"] % (len(data) + 1)])
                raise ConnectionResetError
            if not oneway:
                writer.write(data)
        await writer.drain()


class Storm:
    """Tasks that share handlers, and call, wait and give up at random."""

    def __init__(self, client: aio.Client, calls: int) -> None:
        self.random = random.Random(SEED)
        self.client = client
        self.left = calls
        self.outcomes: Counter[str] = Counter()
        self.handlers: list[Any] = []
        self._ways = [self.call, self.with_timeout, self.cancelled, self.in_time, self.stream, self.oneway]
        self._weights = [80, 5, 5, 4, 4, 2]

    async def run(self) -> None:
        self.handlers = [await self.client.open("org.example.storm") for _ in range(HANDLERS)]
        async with asyncio.TaskGroup() as group:
            for _ in range(TASKS):
                group.create_task(self.work())

    async def work(self) -> None:
        while self.left > 0:
            self.left -= 1
            slot = self.random.randrange(HANDLERS)
            handler = self.handlers[slot]
            (way,) = self.random.choices(self._ways, self._weights)
            try:
                self.outcomes[await way(handler, self.left, *self.choices())] += 1
            except (DeadlineExceeded, ConnectionLost) as failure:
                self.outcomes[type(failure).__name__] += 1
                if isinstance(failure, ConnectionLost) and self.handlers[slot] is handler:
                    await self.replace(slot)

    async def replace(self, slot: int) -> None:
        handler = self.handlers[slot]
        self.handlers[slot] = await self.client.open("org.example.storm")
        # The other half is forgotten.
        if self.random.random() < 0.5:
            await handler.close()

    def choices(self) -> tuple[float, bool]:
        """How long the service is to wait, and whether to drop the connection then."""
        return self.short() if self.random.random() < 0.02 else 0.0, self.random.random() < 0.002

    def short(self) -> float:
        return self.random.choice([0.0, 0.0005, 0.002 * self.random.random()])

    async def call(self, handler: Any, number: int, delay: float, drop: bool) -> str:
        assert await handler.Answer(number, delay, drop) == {"id": number}
        return "replies"

    async def with_timeout(self, handler: Any, number: int, delay: float, drop: bool) -> str:
        reply = await handler.Answer(number, delay, drop, _timeout=self.short())
        assert reply == {"id": number}
        return "replies"

    async def cancelled(self, handler: Any, number: int, delay: float, drop: bool) -> str:
        task = asyncio.create_task(self.call(handler, number, delay, drop))
        await asyncio.sleep(self.short())
        task.cancel()
        await asyncio.wait([task])
        return "cancelled" if task.cancelled() else task.result()

    async def in_time(self, handler: Any, number: int, delay: float, drop: bool) -> str:
        try:
            async with asyncio.timeout(self.short()) as limit:
                return await self.call(handler, number, delay, drop)
        except TimeoutError:
            assert limit.expired()
            return "cancelled"

    async def stream(self, handler: Any, number: int, delay: float, drop: bool) -> str:
        times, read = self.random.randint(1, 8), self.random.randint(1, 8)
        limit = self.random.choice([None, None, self.short()])
        replies = handler.Repeat(number, times, delay, drop, _more=True, _timeout=limit)
        i = 0
        async for reply in replies:
            assert reply == {"id": number, "i": i}
            i += 1
            if i == read:
                if self.random.random() < 0.5:
                    await replies.aclose()
                return "left"
        assert i == times
        return "streams"

    async def oneway(self, handler: Any, number: int, delay: float, drop: bool) -> str:
        assert await handler.Note(number, delay, drop, _oneway=True) is None
        return "oneway"


def test_no_reply_reaches_another_call(run: Run, tmp_path: Path) -> None:
    path = f"{tmp_path}/storm"
    print(f"STORM_SEED={SEED} STORM_CALLS={CALLS}")

    async def main() -> None:
        before = open_sockets()
        service = Service()
        server = await asyncio.start_unix_server(service.serve, path)
        async with aio.Client(f"unix:{path}") as client:
            client.add_interface(fastvarlink.Interface(DESCRIPTION))
            storm = Storm(client, CALLS // KINDS_OF_LOOPS)
            await storm.run()
            print(dict(storm.outcomes))
            for handler in storm.handlers:
                await storm.call(await client.open("org.example.storm"), 7, 0.0, False)
                await handler.close()
        server.close()
        if service.connections:
            await asyncio.wait(service.connections, timeout=PATIENCE)
        assert service.connections == set()
        if CALLS >= 10_000:
            wanted = {
                "replies",
                "streams",
                "left",
                "oneway",
                "cancelled",
                "DeadlineExceeded",
                "ConnectionLost",
            }
            assert set(storm.outcomes) == wanted
        await none_is_left(before)

    run(main, 600)


@fastvarlink.interface("org.example.shelter")
class Shelter:
    """Counts the handlers that run."""

    def __init__(self) -> None:
        self.running = 0
        self.outcomes: Counter[str] = Counter()
        self.idle = asyncio.Event()

    @fastvarlink.method(returns="id")
    async def Answer(self, id: int, delay: float) -> int:
        self.begin()
        try:
            await asyncio.sleep(delay)
            return id
        except asyncio.CancelledError:
            self.outcomes["cancelled"] += 1
            raise
        finally:
            self.end()

    @fastvarlink.method(returns="id", live=True)
    async def Repeat(self, id: int, delay: float) -> AsyncIterator[int]:
        self.begin()
        try:
            while True:
                yield id
                await asyncio.sleep(delay)
        except BaseException:
            self.outcomes["left"] += 1
            raise
        finally:
            self.end()

    def begin(self) -> None:
        self.running += 1
        self.idle.clear()

    def end(self) -> None:
        self.running -= 1
        if not self.running:
            self.idle.set()


def test_no_handler_outlives_its_connection(run: Run, tmp_path: Path) -> None:
    print(f"STORM_SEED={SEED}")
    address = f"unix:{tmp_path}/shelter"
    shelter = Shelter()
    service = fastvarlink.Service()
    service.interface(shelter)

    async def visit(client: aio.Client, chance: random.Random) -> None:
        """Some calls and perhaps a stream on one connection, which the client then closes."""
        handler = await client.open("org.example.shelter")
        for number in range(chance.randint(1, 4)):
            # Nobody waits for an hour: those are cancelled.
            limit = chance.choice([None, 0.001, 0.01])
            delay = chance.choice([0.0, 0.0, 0.002, 3600.0]) if limit else 0.0
            with contextlib.suppress(DeadlineExceeded):
                assert await handler.Answer(number, delay, _timeout=limit) == {"id": number}
        if chance.random() < 0.5:
            replies = handler.Repeat(9, chance.choice([0.0, 3600.0]), _more=True)
            assert await anext(replies) == {"id": 9}
        waiting = asyncio.create_task(handler.Answer(10, 3600.0)) if chance.random() < 0.5 else None
        await asyncio.sleep(0)
        await handler.close()
        if waiting is not None:
            with pytest.raises(ConnectionLost):
                await waiting

    async def main() -> None:
        before = open_sockets()
        chance = random.Random(SEED)
        async with served(service, address), aio.Client(address) as client:
            async with asyncio.TaskGroup() as group:
                for _ in range(200):
                    group.create_task(visit(client, chance))
            # The server goes on, only the clients have gone.
            while shelter.running:
                await shelter.idle.wait()
            assert shelter.outcomes["cancelled"]
            assert shelter.outcomes["left"]
            assert await (await client.open("org.example.shelter")).Answer(1, 0.0) == {"id": 1}
        await none_is_left(before)

    run(main)
