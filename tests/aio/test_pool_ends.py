"""A pool of connections for tasks: what becomes of connections that end, and of the pool's own end."""

from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path
from typing import Any

import pytest

import fastvarlink
from fastvarlink import aio
from fastvarlink.error import ConnectionLost, DeadlineExceeded, ForkDetected
from wire.rawstream import PATIENCE, RawStream
from wire.sample import DESCRIPTION
from wire.sample import INTERFACE as WIRE
from wire.scripted import ScriptedPeer, answers

from . import running
from .pooling import ONE, TWO, Run, at, peer, pooled, run
from .running import finished, settle
from .test_giving_up import accept_all, crowded, silent

__all__ = ["crowded", "peer", "run"]

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
