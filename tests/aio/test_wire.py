"""The rules of the wire where many tasks wait on one connection. What a call alone shows is in tests/wire."""

from __future__ import annotations

import asyncio
import os
import threading
from typing import Any

import pytest

from fastvarlink.error import (
    ConnectionLost,
    ForkDetected,
    InvalidParameter,
    PermissionDenied,
    ProtocolError,
)
from fastvarlink.limits import Limits
from wire.rawstream import PATIENCE, PeerEndedError, RawStream, frame
from wire.scripted import ScriptedPeer, answers

from .running import LOOPS, finished, happens, opened, run, settle

PONG = frame({"parameters": {"text": "pong"}})
GOOD = b'{"parameters":{"text":"good"}}'
LIMIT = 4096
DENIED = frame({"error": "org.varlink.service.PermissionDenied"})


def number(i: int, continues: bool = True) -> bytes:
    """A reply of Count() as a frame."""
    return frame({"parameters": {"i": i}, "continues": continues})


@pytest.mark.rule("C6")
def test_replies_go_to_the_calls_in_their_order(peer: ScriptedPeer) -> None:
    def script(stream: RawStream) -> None:
        calls = [stream.read_frame() for _ in range(4)]
        assert [b'"more":true' in call for call in calls] == [False, True, False, True]
        first, last = frame({"parameters": {"text": "a"}}), number(9, False)
        stream.send(first + number(0) + number(1) + DENIED + PONG + last)
        stream.expect_end()

    async def count(handler: Any) -> list[int]:
        return [reply["i"] async for reply in handler.Count(9, _more=True)]

    async def main() -> None:
        async with opened(peer) as handler:
            results = await asyncio.gather(
                handler.Ping("x"),
                count(handler),
                handler.Ping("y"),
                count(handler),
                return_exceptions=True,
            )
            assert isinstance(results[1], PermissionDenied)
            assert [results[0], *results[2:]] == [{"text": "a"}, {"text": "pong"}, [9]]

    peer.start(script)
    run(main)


def test_a_result_that_is_not_as_declared(peer: ScriptedPeer) -> None:
    async def main() -> None:
        async with opened(peer) as handler:
            with pytest.raises(InvalidParameter):
                await handler.Ping("x")
            assert await handler.Ping("x") == {"text": "pong"}
            # In a stream it is not known what the others would be good for.
            replies = handler.Count(3, _more=True)
            with pytest.raises(InvalidParameter):
                await anext(replies)
            with pytest.raises(StopAsyncIteration):
                await anext(replies)

    peer.start(answers(frame({"parameters": {"text": 1}}), PONG, number("x")))  # type: ignore[arg-type]
    run(main)


REFUSED: dict[str, bytes] = {
    "continues that nobody asked for": frame({"parameters": {"text": "x"}, "continues": True}),
    "an unknown member": frame({"parameters": {"text": "x"}, "unknown": 1}),
    "nothing": b"\0",
    "a word after it": GOOD + b" null\0",
    "no end": b" " * (LIMIT + 1),
    "nested too deep": b'{"parameters":{"text":' + b"[" * 1030 + b"]" * 1030 + b"}}\0",
}


@pytest.mark.rule("F3")
@pytest.mark.rule("F4")
@pytest.mark.rule("F7")
@pytest.mark.rule("F8")
@pytest.mark.rule("R3")
@pytest.mark.parametrize("reply", REFUSED.values(), ids=REFUSED.keys())
def test_a_reply_that_may_not_be_fails_all_calls_and_closes(peer: ScriptedPeer, reply: bytes) -> None:
    def script(stream: RawStream) -> None:
        for _ in range(4):
            stream.read_frame()
        stream.send(PONG + reply)
        stream.expect_end()

    async def main() -> None:
        async with opened(peer, limits=Limits(max_message_size=LIMIT)) as handler:
            calls = [handler.Ping("x") for _ in range(3)]
            stream = anext(handler.Count(3, _more=True))
            first, *others = await asyncio.gather(*calls, stream, return_exceptions=True)
            assert first == {"text": "pong"}
            assert [type(other) for other in others] == [ProtocolError] * 3
            with pytest.raises(ConnectionLost):
                await handler.Ping("again")
            await finished(peer)

    peer.start(script)
    run(main)


@pytest.mark.rule("R3")
@pytest.mark.parametrize("surplus", [PONG, b"{}\0", DENIED])
@pytest.mark.parametrize("oneway", [True, False])
@pytest.mark.parametrize("seen", [True, False])
def test_a_reply_that_no_call_waits_for_is_never_taken(
    peer: ScriptedPeer, surplus: bytes, oneway: bool, seen: bool
) -> None:
    sent = threading.Event()

    def script(stream: RawStream) -> None:
        stream.read_frame()
        if not oneway:
            stream.send(PONG)
        stream.send(surplus)
        sent.set()
        stream.expect_end()

    async def main() -> None:
        async with opened(peer) as handler:
            await handler.Ping("x", _oneway=oneway)
            if seen:
                await happens(sent)
                await settle()
            else:
                # The loop stands still: the next call is the first to look.
                assert sent.wait(PATIENCE)
            with pytest.raises(ConnectionLost, match="answers no call"):
                await handler.Ping("y")

    peer.start(script)
    run(main)


@pytest.mark.rule("F11")
@pytest.mark.parametrize("length", [0, 1, len(GOOD) // 2, len(GOOD)])
def test_the_end_of_the_peer_fails_all_calls(peer: ScriptedPeer, length: int) -> None:
    def script(stream: RawStream) -> None:
        for _ in range(4):
            stream.read_frame()
        stream.send(PONG + GOOD[:length])

    async def main() -> None:
        async with opened(peer) as handler:
            calls = [handler.Ping("x") for _ in range(3)]
            stream = anext(handler.Count(3, _more=True))
            first, *others = await asyncio.gather(*calls, stream, return_exceptions=True)
            assert first == {"text": "pong"}
            assert [type(other) for other in others] == [ConnectionLost] * 3
            with pytest.raises(ConnectionLost, match="The service has closed it"):
                await handler.Ping("again")

    peer.start(script)
    run(main)


@pytest.mark.rule("F11")
@pytest.mark.parametrize("seen", [True, False])
def test_the_peer_ends_between_calls(peer: ScriptedPeer, seen: bool) -> None:
    def script(stream: RawStream) -> None:
        stream.read_frame()
        stream.send(PONG)

    async def main() -> None:
        async with opened(peer) as handler:
            assert await handler.Ping("x") == {"text": "pong"}
            if seen:
                await finished(peer)
                await settle()
            else:
                peer.finish()
            with pytest.raises(ConnectionLost, match="The service has closed it"):
                await handler.Ping("y")

    peer.start(script)
    run(main)


@pytest.mark.rule("F11")
def test_what_came_before_the_end_is_read(peer: ScriptedPeer) -> None:
    def script(stream: RawStream) -> None:
        stream.read_frame()
        stream.read_frame()
        stream.send(number(0) + number(1) + number(2, False) + PONG)

    async def main() -> None:
        async with opened(peer) as handler:
            replies = handler.Count(3, _more=True)
            first = asyncio.ensure_future(anext(replies))
            await settle()
            behind = asyncio.create_task(handler.Ping("x"))
            assert await first == {"i": 0}
            await finished(peer)
            await settle()
            assert not behind.done()
            assert [reply["i"] async for reply in replies] == [1, 2]
            assert await behind == {"text": "pong"}

    peer.start(script)
    run(main)


def test_replies_that_are_not_asked_for_stay_with_the_service(peer: ScriptedPeer) -> None:
    stuck, written = threading.Event(), 0
    reply = number(7)

    def script(stream: RawStream) -> None:
        nonlocal written
        stream.read_frame()
        written = stream.flood(reply, 64 << 20)
        stuck.set()
        rest = -written % len(reply)
        stream.send_in(1 << 16, reply[len(reply) - rest :] + number(8, False))
        try:
            stream.read_frame()
        except PeerEndedError:
            return
        stream.send(PONG)
        stream.expect_end()

    async def main() -> None:
        async with opened(peer) as handler:
            replies = handler.Count(9, _more=True)
            assert await anext(replies) == {"i": 7}
            behind = asyncio.create_task(handler.Ping("x"))
            await happens(stuck)
            count = 1
            async for each in replies:
                count += each == {"i": 7}
            assert count == -(-written // len(reply))
            assert await behind == {"text": "pong"}

    peer.start(script)
    run(main)


def test_calls_wait_until_they_can_be_written(peer: ScriptedPeer) -> None:
    go, seen = threading.Event(), []
    size = 4 << 20

    def script(stream: RawStream) -> None:
        assert go.wait(PATIENCE)
        for _ in range(3):
            seen.append(stream.read_frame()[-9:-3])
        stream.send(PONG * 2)
        stream.expect_end()

    async def main() -> None:
        async with opened(peer) as handler:
            calls = [
                asyncio.create_task(handler.Ping("x" * size + f" call {i}", _oneway=i == 1)) for i in range(4)
            ]
            await settle()
            # It has not been sent, so that nothing is given up.
            calls[2].cancel()
            await settle()
            assert [call.done() for call in calls] == [False, False, True, False]
            go.set()
            assert await calls[0] == {"text": "pong"}
            assert await calls[1] is None
            assert await calls[3] == {"text": "pong"}

    peer.start(script)
    run(main)
    assert seen == [b"call 0", b"call 1", b"call 3"]


def test_a_oneway_call_that_was_awaited_outlives_the_connection(peer: ScriptedPeer) -> None:
    sizes: list[int] = []

    def script(stream: RawStream) -> None:
        sizes.append(len(stream.read_frame()))
        stream.expect_end()

    async def main() -> None:
        async with opened(peer) as handler:
            await handler.Record("x" * (4 << 20), _oneway=True)
            await handler.close()

    peer.start(script)
    run(main)
    assert sizes[0] > 4 << 20


@pytest.mark.rule("F11")
@pytest.mark.parametrize("loop", LOOPS)
def test_a_connection_that_is_reset_behind_a_reply(peer: ScriptedPeer, loop: str) -> None:
    both, gone = threading.Event(), threading.Event()

    def script(stream: RawStream) -> None:
        stream.read_frame()
        stream.send(PONG)
        assert both.wait(PATIENCE)
        # The second call is left unread.
        stream.close()
        gone.set()

    async def main() -> None:
        async with opened(peer) as handler:
            calls = [asyncio.create_task(handler.Ping("x")) for _ in range(2)]
            await settle()
            both.set()
            # Without the loop, which is told of the reply and the reset at once.
            assert gone.wait(PATIENCE)
            assert await calls[0] == {"text": "pong"}
            with pytest.raises(ConnectionLost):
                await calls[1]

    peer.start(script)
    run(main, loop)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of forks beside threads
@pytest.mark.parametrize("way", ["call", "close"])
def test_a_fork_leaves_the_connection_to_its_parent(peer: ScriptedPeer, way: str) -> None:
    """Rule S9: the child is told, and the parent goes on."""

    async def main() -> None:
        async with opened(peer) as handler:
            assert await handler.Ping("x") == {"text": "pong"}
            child = os.fork()
            if child == 0:
                # Without the loop, which is the parent's.
                status = 1
                try:
                    (handler.Ping("x") if way == "call" else handler.close()).send(None)
                except ForkDetected:
                    status = way != "call"
                except StopIteration:
                    status = way != "close"
                finally:
                    os._exit(status)
            assert os.waitpid(child, 0)[1] == 0
            assert await handler.Ping("x") == {"text": "pong"}

    peer.start(answers(PONG, PONG))
    asyncio.run(main())
