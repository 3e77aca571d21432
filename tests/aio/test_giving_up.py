"""R6 and R7: streams that are left, calls that are given up, and what comes after."""

from __future__ import annotations

import asyncio
import gc
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

import fastvarlink
from fastvarlink import aio
from fastvarlink._core.taskchannel import TaskChannel
from fastvarlink.aio.carrier import Carrier
from fastvarlink.aio.connection import connect
from fastvarlink.client.plans import plans_of
from fastvarlink.client.ways import way_to
from fastvarlink.error import ConnectionLost, DeadlineExceeded
from fastvarlink.limits import Limits
from wire.rawstream import PATIENCE, RawStream, frame
from wire.sample import DESCRIPTION, INTERFACE
from wire.scripted import ScriptedPeer, answers

from .running import finished, happens, opened, run, settle

PONG = frame({"parameters": {"text": "pong"}})


def endless(stream: RawStream) -> None:
    """A script: three replies of a stream that would go on, then only the end."""
    stream.read_frame()
    for i in range(3):
        stream.send(frame({"parameters": {"i": i}, "continues": True}))
    stream.expect_end()


def silent(stream: RawStream) -> None:
    """A script: a call that is never answered."""
    stream.read_frame()
    stream.expect_end()


@pytest.mark.rule("R6")
def test_a_stream_that_is_forgotten_closes_the_connection(peer: ScriptedPeer) -> None:
    async def main() -> None:
        async with opened(peer) as handler:
            async for reply in handler.Count(9, _more=True):
                assert reply == {"i": 0}
                break
            # At once, before the loop has closed the connection.
            assert await handler.Ping("x") == {"text": "pong"}

    peer.start(endless, answers(PONG))
    run(main)


@pytest.mark.rule("R6")
def test_a_stream_that_only_the_collector_finds_closes_the_connection(peer: ScriptedPeer) -> None:
    async def main() -> None:
        async with opened(peer) as handler:
            circle: list[Any] = [handler.Count(9, _more=True)]
            circle.append(circle)
            await anext(circle[0])
            circle = []
            await asyncio.to_thread(gc.collect)
            assert await handler.Ping("x") == {"text": "pong"}

    peer.start(endless, answers(PONG))
    run(main)


def test_a_stream_that_was_not_begun_is_no_call(peer: ScriptedPeer) -> None:
    async def main() -> None:
        async with opened(peer) as handler:
            replies = handler.Count(9, _more=True)
            await replies.aclose()
            del replies
            handler.Count(9, _more=True)
            assert await handler.Ping("x") == {"text": "pong"}

    peer.start(answers(PONG))
    run(main)


@pytest.mark.rule("R6")
def test_calls_behind_a_stream_that_is_left_fail(peer: ScriptedPeer) -> None:
    def script(stream: RawStream) -> None:
        stream.read_frame()
        stream.send(frame({"parameters": {"i": 0}, "continues": True}))
        stream.read_frame()
        stream.expect_end()

    async def main() -> None:
        async with opened(peer) as handler:
            replies = handler.Count(9, _more=True)
            await anext(replies)
            behind = asyncio.create_task(handler.Ping("x"))
            await settle()
            await replies.aclose()
            with pytest.raises(ConnectionLost, match="left before its end"):
                await behind

    peer.start(script)
    run(main)


def test_a_stream_that_is_closed_while_it_is_read(peer: ScriptedPeer) -> None:
    async def main() -> None:
        async with opened(peer) as handler:
            replies = handler.Count(9, _more=True)
            for _ in range(3):
                await anext(replies)
            reader = asyncio.ensure_future(anext(replies))
            await settle()
            await replies.aclose()
            with pytest.raises(ConnectionLost, match="left before its end"):
                await reader

    peer.start(endless)
    run(main)


@pytest.mark.rule("R7")
@pytest.mark.parametrize("stream", [False, True])
def test_after_a_time_limit_the_late_reply_is_no_answer(peer: ScriptedPeer, stream: bool) -> None:
    async def main() -> None:
        async with opened(peer) as handler:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0):
                    await (anext(handler.Count(1, _more=True)) if stream else handler.Ping("late"))
            assert await handler.Ping("x") == {"text": "pong"}
            assert await handler.Ping("y") == {"text": "pong"}

    peer.start(silent, answers(PONG, PONG))
    run(main)


@pytest.mark.rule("R6")
@pytest.mark.rule("R7")
def test_a_time_limit_in_a_stream_ends_it(peer: ScriptedPeer) -> None:
    async def main() -> None:
        async with opened(peer) as handler:
            replies = handler.Count(9, _more=True)
            for i in range(3):
                assert await anext(replies) == {"i": i}
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(replies), 0.01)
            with pytest.raises(StopAsyncIteration):
                await anext(replies)
            assert await handler.Ping("x") == {"text": "pong"}

    peer.start(endless, answers(PONG))
    run(main)


@pytest.mark.rule("R7")
@pytest.mark.parametrize("given_up", [0, 1, 2])
@pytest.mark.parametrize("way", ["cancel", "timeout"])
def test_a_call_that_is_given_up_leaves_the_others_alone(peer: ScriptedPeer, given_up: int, way: str) -> None:
    arrived, go = threading.Event(), threading.Event()

    def script(stream: RawStream) -> None:
        for _ in range(3):
            stream.read_frame()
        arrived.set()
        assert go.wait(PATIENCE)
        for text in "abc":
            stream.send(frame({"parameters": {"text": text}}))
        stream.expect_end()

    async def main() -> None:
        async with opened(peer) as handler:
            calls = [
                asyncio.create_task(
                    handler.Ping(text, _timeout=0.01 if way == "timeout" and i == given_up else None)
                )
                for i, text in enumerate("abc")
            ]
            await happens(arrived)
            if way == "cancel":
                calls[given_up].cancel()
            await asyncio.wait([calls[given_up]])
            peer.start(answers(PONG, PONG))
            # Both take the one new connection: on the other they would wait behind a reply for nobody.
            again = await asyncio.gather(handler.Ping("x"), handler.Ping("y"))
            assert list(again) == [{"text": "pong"}] * 2
            go.set()
            results = await asyncio.gather(*calls, return_exceptions=True)
            assert isinstance(
                results.pop(given_up), asyncio.CancelledError if way == "cancel" else DeadlineExceeded
            )
            assert results == [{"text": text} for i, text in enumerate("abc") if i != given_up]

    peer.start(script)
    run(main)


@pytest.mark.rule("R7")
def test_calls_that_are_all_given_up_close_the_connection(peer: ScriptedPeer) -> None:
    def script(stream: RawStream) -> None:
        for _ in range(3):
            stream.read_frame()
        stream.expect_end()

    async def main() -> None:
        async with opened(peer) as handler:
            calls = [handler.Ping(text, _timeout=0.05) for text in "abc"]
            for result in await asyncio.gather(*calls, return_exceptions=True):
                assert isinstance(result, DeadlineExceeded)
                assert "Ping was not answered within 0.05 seconds" in str(result)
            assert await handler.Ping("x") == {"text": "pong"}

    peer.start(script, answers(PONG))
    run(main)


@pytest.mark.rule("R7")
def test_a_connection_is_used_again_when_the_reply_for_nobody_has_come(peer: ScriptedPeer) -> None:
    arrived, given_up = threading.Event(), threading.Event()

    def script(stream: RawStream) -> None:
        stream.read_frame()
        stream.read_frame()
        arrived.set()
        assert given_up.wait(PATIENCE)
        stream.send(frame({"parameters": {"text": "a"}}))
        stream.send(frame({"parameters": {"text": "b"}}))
        stream.read_frame()
        stream.send(PONG)
        stream.expect_end()

    async def main() -> None:
        async with opened(peer) as handler:
            first, second = [asyncio.create_task(handler.Ping(text)) for text in "ab"]
            await happens(arrived)
            first.cancel()
            await asyncio.wait([first])
            given_up.set()
            assert await second == {"text": "b"}
            assert await handler.Ping("x") == {"text": "pong"}

    peer.start(script)
    run(main)


@pytest.mark.rule("R7")
def test_a_call_that_is_cancelled_with_its_reply_there_gives_nothing_up(peer: ScriptedPeer) -> None:
    def script(stream: RawStream) -> None:
        stream.read_frame()
        stream.read_frame()
        stream.send_in(1 << 16, PONG * 2)
        stream.read_frame()
        stream.send(PONG)
        stream.expect_end()

    async def main() -> None:
        async with opened(peer) as handler:
            second: asyncio.Task[Any]
            first = asyncio.create_task(handler.Ping("a"))
            # Runs when the replies to both have been taken and the second task has not been told.
            first.add_done_callback(lambda _: second.cancel())
            second = asyncio.create_task(handler.Ping("b"))
            assert await first == {"text": "pong"}
            await asyncio.wait([second])
            assert await handler.Ping("c") == {"text": "pong"}

    peer.start(script)
    run(main)


def test_a_call_that_is_cancelled_at_the_end_of_the_program(peer: ScriptedPeer) -> None:
    async def main() -> None:
        client = aio.Client(peer.address)
        client.add_interface(fastvarlink.Interface(DESCRIPTION))
        handler = await client.open(INTERFACE)
        _tasks.append(asyncio.create_task(handler.Ping("x")))
        await settle()

    _tasks: list[asyncio.Task[Any]] = []
    peer.start(silent)
    asyncio.run(main(), debug=True)
    assert _tasks[0].cancelled()
    peer.finish()


def test_a_handler_that_is_forgotten_closes_its_connection(peer: ScriptedPeer) -> None:
    async def main() -> None:
        async with aio.Client(peer.address) as client:
            client.add_interface(fastvarlink.Interface(DESCRIPTION))
            assert await (await client.open(INTERFACE)).Ping("x") == {"text": "pong"}
            await finished(peer)

    peer.start(answers(PONG))
    run(main)


def test_a_connection_that_cannot_be_made_anew(peer: ScriptedPeer, tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(peer) as handler:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0):
                    await handler.Ping("late")
            (tmp_path / "peer").rename(tmp_path / "away")
            with pytest.raises(FileNotFoundError):
                await handler.Ping("x")
            (tmp_path / "away").rename(tmp_path / "peer")
            assert await handler.Ping("x") == {"text": "pong"}

    peer.start(silent, answers(PONG))
    run(main)


def test_closing_while_a_connection_is_made_anew(peer: ScriptedPeer) -> None:
    async def main() -> None:
        async def new() -> TaskChannel:
            return await connect(way_to(peer.address), Limits(max_message_size=4096))

        async def reconnect() -> TaskChannel:
            carrier.close()
            return await new()

        carrier = Carrier(await new(), reconnect)
        plan = plans_of(fastvarlink.Interface(DESCRIPTION)).call("Ping")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await carrier.invoke(plan, ("late",), False, False)
        with pytest.raises(ConnectionLost, match="by this program"):
            await carrier.invoke(plan, ("x",), False, False)
        carrier.close()
        await finished(peer)

    peer.start(silent, lambda stream: stream.expect_end())
    run(main)


@pytest.fixture
def crowded(tmp_path: Path) -> Iterator[tuple[str, socket.socket]]:
    """The address of a service that has more connections to accept than it takes, and its listener."""
    with ExitStack() as sockets:
        listener = sockets.enter_context(socket.socket(socket.AF_UNIX))
        listener.settimeout(PATIENCE)
        listener.bind(f"{tmp_path}/crowded")
        listener.listen(0)
        while True:
            waiting = sockets.enter_context(socket.socket(socket.AF_UNIX))
            waiting.setblocking(False)
            try:
                waiting.connect(f"{tmp_path}/crowded")
            except BlockingIOError:
                break
        yield f"unix:{tmp_path}/crowded", listener


def accept_all(listener: socket.socket, client: int) -> None:
    """Accept the connections that wait; answer the one of the client, which comes at last."""
    listener.accept()[0].close()
    connection, _ = listener.accept()
    with RawStream(connection, "whole") as stream:
        answers(*[PONG] * client)(stream)


@pytest.mark.parametrize("closes", [False, True])
def test_a_service_with_many_connections_to_accept(crowded: tuple[str, socket.socket], closes: bool) -> None:
    address, listener = crowded

    async def main() -> None:
        async with aio.Client(address) as client:
            client.add_interface(fastvarlink.Interface(DESCRIPTION))
            opening = asyncio.create_task(client.open(INTERFACE))
            await settle()
            if closes:
                await client.close()
            accepting = asyncio.create_task(asyncio.to_thread(accept_all, listener, not closes))
            if closes:
                with pytest.raises(ConnectionLost, match="client has been closed"):
                    await opening
            else:
                assert await (await opening).Ping("x") == {"text": "pong"}
        await accepting

    run(main)


def test_waiting_for_a_service_is_given_up(crowded: tuple[str, socket.socket]) -> None:
    async def main() -> None:
        async with aio.Client(crowded[0]) as client:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0):
                    await client.open(INTERFACE)

    run(main)
