"""A pool of connections for tasks: which one a call gets, and waiting for one."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

import fastvarlink
from fastvarlink import aio
from fastvarlink.error import DeadlineExceeded, InterfaceNotFound
from wire.rawstream import PATIENCE
from wire.scripted import ScriptedPeer, answers

from .pooling import INTERFACE, ONE, Run, at, connections, peer, pooled, run
from .running import settle
from .test_giving_up import endless

__all__ = ["peer", "run"]

# ---- which connection


def test_a_pool_is_used_like_a_client(run: Run, tmp_path: Path) -> None:
    async def main() -> None:
        async with pooled(tmp_path, size=2) as sample:
            pool = sample.pool
            assert str(pool) == f"unix:{tmp_path}/socket"
            assert INTERFACE in await pool.get_interfaces()
            assert "vendor" in pool.info
            assert (await pool.get_interface(INTERFACE)).name == INTERFACE
            async with sample.handler as handler:
                assert await handler.Which() == {"connection": 0}
                assert await handler.Record("x", _oneway=True) is None
            # A handler that is closed leaves the pool open.
            assert (await (await pool.open(INTERFACE, namespaced=True)).Which()).connection == 0
            with pytest.raises(InterfaceNotFound):
                await pool.open("org.example.missing")
            with pytest.raises(TypeError, match="no AsyncTypedClient"):
                await pool.open(fastvarlink.TypedClient)  # type: ignore[type-var]

    run(main)


def test_a_pool_has_a_size() -> None:
    with pytest.raises(ValueError, match="0 connections"):
        aio.Pool("unix:/socket", size=0)


def test_calls_that_may_take_long_have_connections_of_their_own(run: Run, tmp_path: Path) -> None:
    async def main() -> None:
        async with pooled(tmp_path, size=3) as sample:
            for _ in range(5):
                assert await sample.handler.Which() == {"connection": 0}
            first = await sample.hold(1)
            assert await sample.handler.Record("beside") == {"connection": 1}
            holding = first + await sample.hold(2)
            # All are taken: it waits behind one of them.
            behind = asyncio.create_task(sample.handler.Record("behind"))
            await settle()
            assert sample.handlers.recorded == ["beside"]
            assert await sample.let_go(holding) == [0, 1, 2]
            await behind
            assert sample.handlers.recorded == ["beside", "behind"]

    run(main)


def test_calls_wait_where_the_fewest_do(run: Run, tmp_path: Path) -> None:
    async def main() -> None:
        async with pooled(tmp_path, size=4) as sample:
            holding = await sample.hold(4)
            calls = [asyncio.create_task(sample.handler.Record(str(i))) for i in range(12)]
            await settle()
            await sample.let_go(holding)
            used = [result["connection"] for result in await asyncio.gather(*calls)]
            assert sorted(used) == sorted([0, 1, 2, 3] * 3)

    run(main)


# ---- streams


def test_a_stream_has_a_connection_for_itself(run: Run, tmp_path: Path) -> None:
    async def main() -> None:
        async with pooled(tmp_path, size=3) as sample:
            handler = sample.handler
            assert await handler.Which() == {"connection": 0}
            one, two = handler.Repeat(3, _more=True), handler.Repeat(3, _more=True)
            assert await anext(one) == {"connection": 0}
            assert await anext(two) == {"connection": 1}
            assert await handler.Which() == {"connection": 2}
            assert await connections(one) == {0}
            assert await handler.Which() == {"connection": 0}
            assert await connections(handler.Repeat(3, _more=True)) == {0}
            assert await connections(two) == {1}
            assert await anext(handler.Repeat(1, _more=True)) == {"connection": 0}

    run(main)


def test_a_stream_does_not_go_behind_calls(run: Run, tmp_path: Path) -> None:
    async def main() -> None:
        async with pooled(tmp_path, size=2) as sample:
            holding = await sample.hold(2)
            stream = asyncio.create_task(connections(sample.handler.Repeat(3, _more=True)))
            await settle()
            assert not stream.done()
            holding[1].cancel()
            # Its connection is closed, and another one made in its place.
            assert await stream == {2}
            assert await sample.let_go(holding[:1]) == [0]

    run(main)


def test_a_stream_that_is_left_makes_room(run: Run, peer: ScriptedPeer) -> None:
    async def main() -> None:
        async with at(peer, *[endless] * 4, answers(ONE), size=1) as handler:
            for way in ("aclose", "break", "cancel", "timeout"):
                replies = handler.Count(9, _more=True, _timeout=0.5 if way == "timeout" else None)
                assert [(await anext(replies))["i"] for _ in range(3)] == [0, 1, 2]
                if way == "aclose":
                    await replies.aclose()
                elif way == "cancel":
                    reading = asyncio.ensure_future(anext(replies))
                    await settle()
                    reading.cancel()
                    await asyncio.wait([reading])
                elif way == "timeout":
                    with pytest.raises(DeadlineExceeded):
                        await anext(replies)
                del replies
            assert await handler.Ping("x") == {"text": "one"}

    run(main)


# ---- waiting in line


def test_who_waits_longest_is_first(run: Run, tmp_path: Path) -> None:
    async def main() -> None:
        async with pooled(tmp_path, size=1) as sample:
            handler = sample.handler
            stream = handler.Repeat(2, _more=True)
            await anext(stream)
            waiting: list[asyncio.Task[Any]] = []
            for i in range(12):
                call = connections(handler.Repeat(2, _more=True)) if i % 4 == 3 else handler.Record(str(i))
                waiting.append(asyncio.create_task(call))
            done: list[int] = []
            for i, task in enumerate(waiting):
                task.add_done_callback(lambda _, i=i: done.append(i))
            await settle()
            assert sample.handlers.recorded == []
            assert await connections(stream) == {0}
            await asyncio.wait(waiting)
            await settle()
            assert sample.handlers.recorded == [str(i) for i in range(12) if i % 4 != 3]
            assert done == list(range(12))

    run(main)


def test_waiting_for_a_connection_takes_from_the_time(run: Run, tmp_path: Path) -> None:
    async def main() -> None:
        async with pooled(tmp_path, size=1, timeout=60) as sample:
            handler = sample.handler
            stream = handler.Repeat(2, _more=True)
            await anext(stream)
            with pytest.raises(DeadlineExceeded, match=r"Record was not sent within 0\.02 seconds"):
                await handler.Record("x", _timeout=0.02)
            with pytest.raises(DeadlineExceeded, match=r"Repeat was not sent within 0\.02 seconds"):
                await anext(handler.Repeat(3, _more=True, _timeout=0.02))
            behind = asyncio.create_task(handler.Record("y"))
            assert await connections(stream) == {0}
            assert await behind == {"connection": 0}
            assert sample.handlers.recorded == ["y"]

    run(main)


@pytest.mark.parametrize("given_up", [{0}, {1}, {0, 1, 2}, {5}, {0, 3, 5}])
def test_giving_up_in_line_holds_up_nobody(run: Run, tmp_path: Path, given_up: set[int]) -> None:
    async def main() -> None:
        async with pooled(tmp_path, size=1) as sample:
            stream = sample.handler.Repeat(2, _more=True)
            await anext(stream)
            waiting = [asyncio.create_task(sample.handler.Record(str(i))) for i in range(6)]
            await settle()
            # Some are told that they may go on at the same time.
            reading = asyncio.create_task(connections(stream))
            reading.add_done_callback(lambda _: [waiting[i].cancel() for i in given_up])
            for i in given_up - {0}:
                waiting[i].cancel()
            await asyncio.wait([reading, *waiting])
            assert all(waiting[i].cancelled() or i == 0 for i in given_up)
            assert [text for text in sample.handlers.recorded if int(text) not in given_up] == [
                str(i) for i in range(6) if i not in given_up
            ]
            assert await sample.handler.Which(_timeout=PATIENCE)

    run(main)


def test_a_stream_that_is_closed_in_line_is_not_sent(run: Run, tmp_path: Path) -> None:
    async def main() -> None:
        async with pooled(tmp_path, size=1) as sample:
            stream, other = [sample.handler.Repeat(2, _more=True) for _ in range(2)]
            await anext(stream)
            reading = asyncio.ensure_future(anext(other))
            await settle()
            await other.aclose()
            assert await connections(stream) == {0}
            with pytest.raises(StopAsyncIteration):
                await reading
            # The connection is still there.
            assert await sample.handler.Which() == {"connection": 0}

    run(main)
