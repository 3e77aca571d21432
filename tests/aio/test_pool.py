"""A pool of connections for tasks: which one a call gets, waiting for one, what becomes of those that end."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest

import fastvarlink
from fastvarlink import aio
from fastvarlink.error import ConnectionLost, DeadlineExceeded, ForkDetected, InterfaceNotFound
from wire.rawstream import PATIENCE, RawStream, frame
from wire.sample import DESCRIPTION
from wire.sample import INTERFACE as WIRE
from wire.scripted import Script, ScriptedPeer, answers

from . import running
from .running import LOOPS, finished, settle
from .serving import served
from .test_giving_up import accept_all, crowded, endless, silent

__all__ = ["crowded"]

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
                replies = handler.Count(9, _more=True, _timeout=0.02 if way == "timeout" else None)
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


# ---- connections that end


@pytest.mark.rule("R7")
def test_after_a_call_was_given_up_calls_go_over_another(run: Run, tmp_path: Path) -> None:
    async def main() -> None:
        async with pooled(tmp_path, size=1) as sample:
            holding = await sample.hold(1)
            behind = [asyncio.create_task(sample.handler.Record(text)) for text in "ab"]
            await settle()
            behind[0].cancel()
            await settle()
            # On the other it would wait for a reply that nobody wants.
            assert await sample.handler.Record("c") == {"connection": 1}
            assert await sample.let_go(holding) == [0]
            assert await behind[1] == {"connection": 0}
            assert sample.handlers.recorded == ["c", "a", "b"]

    run(main)


@pytest.mark.rule("F11")
def test_a_call_that_may_have_been_sent_is_not_repeated(run: Run, peer: ScriptedPeer) -> None:
    async def main() -> None:
        async with at(peer, lambda stream: stream.read_frame(), answers(ONE)) as handler:
            with pytest.raises(ConnectionLost, match="The service has closed it"):
                await handler.Ping("x")
            assert await handler.Ping("x") == {"text": "one"}

    run(main)


@pytest.mark.rule("F11")
@pytest.mark.rule("R3")
@pytest.mark.parametrize("stray", [False, True])
@pytest.mark.parametrize("how", ["call", "stream", "oneway"])
def test_a_connection_that_has_ended_is_replaced_before_a_call_is_sent(
    run: Run, peer: ScriptedPeer, how: str, stray: bool
) -> None:
    gone = threading.Event()

    def script(stream: RawStream) -> None:
        stream.read_frame()
        stream.send(ONE)
        if stray:
            stream.send(ONE)
            gone.set()
            stream.expect_end()
        else:
            stream.close()
            gone.set()

    def again(stream: RawStream) -> None:
        assert b'"again"' in stream.read_frame()
        if how != "oneway":
            stream.send(TWO)
        stream.expect_end()

    async def main() -> None:
        async with at(peer, script, again, size=1) as handler:
            assert await handler.Ping("x") == {"text": "one"}
            # Without the loop, which would be told.
            assert gone.wait(PATIENCE)
            if how == "call":
                assert await handler.Ping("again") == {"text": "two"}
            elif how == "stream":
                assert [reply async for reply in handler.Ping("again", _more=True)] == [{"text": "two"}]
            else:
                await handler.Ping("again", _oneway=True)

    run(main)


@pytest.mark.rule("F11")
def test_a_service_that_ends_each_connection_at_once(run: Run, peer: ScriptedPeer) -> None:
    """A new connection that ends before the call is sent is an error: there is no end to trying."""

    async def main() -> None:
        async with at(peer, *[lambda stream: stream.close()] * 3, size=1) as handler:
            for _ in range(3):
                with pytest.raises(ConnectionLost):
                    await handler.Ping("x")

    run(main)


def test_a_connection_that_cannot_be_made_leaves_room(run: Run, peer: ScriptedPeer, tmp_path: Path) -> None:
    async def main() -> None:
        (tmp_path / "peer").rename(tmp_path / "away")
        async with at(peer, answers(ONE), size=1) as handler:
            for _ in range(3):
                with pytest.raises(FileNotFoundError):
                    await handler.Ping("x")
                with pytest.raises(FileNotFoundError):
                    await anext(handler.Count(1, _more=True))
            (tmp_path / "away").rename(tmp_path / "peer")
            assert await handler.Ping("x") == {"text": "one"}

    run(main)


def test_connecting_is_given_up(run: Run, crowded: tuple[str, Any]) -> None:
    address, listener = crowded

    async def main() -> None:
        async with aio.Pool(address, size=1) as pool:
            pool.add_interface(fastvarlink.Interface(DESCRIPTION))
            handler = await pool.open(WIRE)
            first, second, third = [asyncio.create_task(handler.Ping(text)) for text in "abc"]
            await settle()
            first.cancel()
            with pytest.raises(DeadlineExceeded):
                await anext(handler.Count(1, _more=True, _timeout=0.01))
            second.cancel()
            await asyncio.wait([first, second])
            accepting = asyncio.create_task(asyncio.to_thread(accept_all, listener, True))
            assert await third == {"text": "pong"}
        await accepting

    run(main)


# ---- the end


def test_closing_ends_what_waits(run: Run, tmp_path: Path) -> None:
    async def main() -> None:
        async with pooled(tmp_path, size=2) as sample:
            handler = sample.handler
            stream = handler.Repeat(2, _more=True)
            await anext(stream)
            waiting = await sample.hold(1)
            reading = asyncio.ensure_future(anext(handler.Repeat(2, _more=True)))
            waiting += [asyncio.create_task(handler.Which()) for _ in range(3)]
            await settle()
            await sample.pool.close()
            for each in (*waiting, reading):
                with pytest.raises(ConnectionLost, match="been closed"):
                    await each
            with pytest.raises(ConnectionLost):
                await anext(stream)
            with pytest.raises(ConnectionLost, match="The pool has been closed"):
                await handler.Which()
            await sample.pool.close()
            sample.handlers.gate.set()

    run(main)


def test_a_pool_that_is_forgotten_closes_its_connections(run: Run, peer: ScriptedPeer) -> None:
    async def main() -> None:
        pool = aio.Pool(peer.address)
        pool.add_interface(fastvarlink.Interface(DESCRIPTION))
        handler = await pool.open(WIRE)
        del pool
        assert await handler.Ping("x") == {"text": "one"}
        del handler
        await finished(peer)

    peer.start(answers(ONE))
    run(main)


def test_an_upgrade_takes_its_connection_out_of_the_pool(run: Run, tmp_path: Path) -> None:
    async def main() -> None:
        async with pooled(tmp_path, size=1) as sample:
            loop = asyncio.get_running_loop()
            assert await sample.handler.Which() == {"connection": 0}
            result, connection = await sample.handler.Upgrade(_upgrade=True)
            with connection:
                assert result == {}
                assert await sample.handler.Which(_timeout=PATIENCE) == {"connection": 1}
                await loop.sock_sendall(connection, b"loud")
                assert await loop.sock_recv(connection, 100) == b"LOUD"

    run(main)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of forks beside threads
@pytest.mark.rule("S9")
def test_a_fork_leaves_the_connections_to_its_parent(peer: ScriptedPeer) -> None:
    async def main() -> None:
        async with at(peer, answers(ONE, TWO)) as handler:
            assert await handler.Ping("x") == {"text": "one"}
            child = os.fork()
            if child == 0:
                # Without the loop, which is the parent's.
                status = 1
                try:
                    for call in (handler.Ping("x"), anext(handler.Count(1, _more=True))):
                        with pytest.raises(ForkDetected):
                            call.send(None)
                    status = 0
                finally:
                    os._exit(status)
            assert os.waitpid(child, 0)[1] == 0
            assert await handler.Ping("x") == {"text": "two"}

    asyncio.run(main())


def test_a_pool_is_for_one_loop(peer: ScriptedPeer) -> None:
    async def main() -> None:
        async with at(peer, silent, answers(ONE)) as handler:

            async def elsewhere() -> None:
                for call in (handler.Ping("x"), anext(handler.Count(1, _more=True))):
                    with pytest.raises(RuntimeError, match="belongs to another event loop"):
                        await call

            # One while all are busy, one while there is an idle one.
            busy = asyncio.create_task(handler.Ping("x"))
            await settle()
            await asyncio.to_thread(asyncio.run, elsewhere())
            busy.cancel()
            await asyncio.wait([busy])
            assert await handler.Ping("x") == {"text": "one"}
            await asyncio.to_thread(asyncio.run, elsewhere())

    running.run(main)


@pytest.fixture
def peer(tmp_path: Path) -> Iterator[ScriptedPeer]:
    """As it is elsewhere, but it writes its replies whole: here it matters when they come, not how."""
    scripted = ScriptedPeer(tmp_path, "whole")
    yield scripted
    scripted.close()
