"""What breaks at a bad moment: no call waits for ever then, and none gets what is not its own."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import Any

import pytest

import fastvarlink
from fastvarlink import aio
from fastvarlink._core.taskchannel import TaskChannel
from fastvarlink.aio.carrier import Carrier
from fastvarlink.aio.connection import connect
from fastvarlink.client.plans import plans_of
from fastvarlink.client.ways import way_to
from fastvarlink.error import ConnectionLost, VarlinkError
from fastvarlink.limits import Limits
from wire.rawstream import PATIENCE, RawStream, frame
from wire.sample import DESCRIPTION, INTERFACE
from wire.scripted import ScriptedPeer, answers

from .running import finished, happens, opened, run, settle

PONG = frame({"parameters": {"text": "pong"}})


@pytest.mark.rule("F11")
@pytest.mark.parametrize("way", ["call", "stream", "oneway"])
def test_a_connection_that_breaks_while_a_call_is_written(peer: ScriptedPeer, way: str) -> None:
    """It could be read until then: nothing told that it would break."""
    deaf, over = threading.Event(), threading.Event()

    def script(stream: RawStream) -> None:
        stream.socket.shutdown(socket.SHUT_RD)
        deaf.set()
        assert over.wait(PATIENCE)

    async def main() -> None:
        async with opened(peer) as handler:
            await happens(deaf)
            calls = {
                "call": lambda: handler.Ping("x"),
                "stream": lambda: anext(handler.Count(1, _more=True)),
                "oneway": lambda: handler.Record("x", _oneway=True),
            }
            with pytest.raises(ConnectionLost, match="Broken pipe"):
                await calls[way]()
            over.set()

    peer.start(script)
    run(main)


@pytest.mark.rule("R3")
@pytest.mark.parametrize("seen", [True, False])
def test_a_reply_to_no_call_that_has_only_begun(peer: ScriptedPeer, seen: bool) -> None:
    sent = threading.Event()

    def script(stream: RawStream) -> None:
        stream.read_frame()
        stream.send(PONG)
        stream.send(PONG[:5])
        sent.set()
        stream.expect_end()

    async def main() -> None:
        async with opened(peer) as handler:
            assert await handler.Ping("x") == {"text": "pong"}
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


class StopError(BaseException):
    """What nothing is prepared for."""


class Unreadable(VarlinkError):
    """Cannot be made."""

    def __init__(self, *_: Any) -> None:
        raise StopError


def test_an_error_of_the_program_ends_all_calls(peer: ScriptedPeer) -> None:
    reports: list[dict[str, Any]] = []

    def script(stream: RawStream) -> None:
        stream.read_frame()
        stream.read_frame()
        stream.send(frame({"error": f"{INTERFACE}.Failed"}) + PONG)
        stream.expect_end()

    async def main() -> None:
        interface = fastvarlink.Interface(DESCRIPTION)
        plans_of(interface).errors["Failed"] = Unreadable
        asyncio.get_running_loop().set_exception_handler(lambda _, report: reports.append(report))
        async with aio.Client(peer.address) as client:
            client.add_interface(interface)
            handler = await client.open(INTERFACE)
            calls = [asyncio.create_task(handler.Ping("x")) for _ in range(2)]
            async with asyncio.timeout(PATIENCE):
                for failure in await asyncio.gather(*calls, return_exceptions=True):
                    assert isinstance(failure, ConnectionLost)
                    assert "error of this program" in str(failure)
            await finished(peer)

    peer.start(script)
    asyncio.run(main())
    assert [type(report["exception"]) for report in reports] == [StopError]


def test_closing_fails_calls_on_earlier_connections(peer: ScriptedPeer) -> None:
    def script(stream: RawStream) -> None:
        stream.read_frame()
        stream.read_frame()
        arrived.set()
        stream.expect_end()

    async def main() -> None:
        async with opened(peer) as handler:
            first, second = [asyncio.create_task(handler.Ping(text)) for text in "ab"]
            await happens(arrived)
            first.cancel()
            await asyncio.wait([first])
            peer.start(answers(PONG))
            assert await handler.Ping("x") == {"text": "pong"}
            assert not second.done()
            await handler.close()
            with pytest.raises(ConnectionLost, match="by this program"):
                await second

    arrived = threading.Event()
    peer.start(script)
    run(main)


@pytest.mark.rule("R7")
def test_a_oneway_call_outlives_a_call_that_is_given_up(peer: ScriptedPeer) -> None:
    go, sizes = threading.Event(), []

    def script(stream: RawStream) -> None:
        assert go.wait(PATIENCE)
        stream.read_frame()
        sizes.append(len(stream.read_frame()))
        stream.send(PONG)
        stream.expect_end()

    async def main() -> None:
        async with opened(peer) as handler:
            call = asyncio.create_task(handler.Ping("x"))
            await settle()
            oneway = asyncio.create_task(handler.Record("x" * (4 << 20), _oneway=True))
            await settle()
            call.cancel()
            await settle()
            assert not oneway.done()
            go.set()
            assert await oneway is None
            await asyncio.wait([call])
            assert call.cancelled()

    peer.start(script)
    run(main)
    assert sizes[0] > 4 << 20


def test_a_call_that_is_over_can_be_closed(peer: ScriptedPeer) -> None:
    """As any coroutine."""

    async def main() -> None:
        async with opened(peer) as handler:
            call = handler.Ping("x")
            assert await call == {"text": "pong"}
            call.close()
            reply = anext(handler.Ping("x", _more=True))
            assert await reply == {"text": "pong"}
            reply.close()
            with pytest.raises(RuntimeError, match="awaited already"):
                await call
            unsent = handler.Ping("x")
            unsent.close()

    peer.start(answers(PONG, PONG))
    run(main)


def test_a_stream_that_is_closed_while_a_connection_is_made_is_not_begun(peer: ScriptedPeer) -> None:
    async def main() -> None:
        go = asyncio.Event()

        async def reconnect() -> TaskChannel:
            await go.wait()
            return await connect(way_to(peer.address), Limits())

        plans = plans_of(fastvarlink.Interface(DESCRIPTION))
        carrier = Carrier(await connect(way_to(peer.address), Limits()), reconnect)
        ping = asyncio.create_task(carrier.invoke(plans.call("Ping"), ("x",), False, False))
        await happens(arrived)
        ping.cancel()
        await asyncio.wait([ping])
        replies = carrier.invoke(plans.call("Count"), (3,), True, False)
        reader = asyncio.create_task(anext(replies, None))
        await settle()
        await replies.aclose()
        go.set()
        assert await reader is None
        carrier.close()
        await finished(peer)

    arrived = threading.Event()

    def silent(stream: RawStream) -> None:
        stream.read_frame()
        arrived.set()
        stream.expect_end()

    peer.start(silent, lambda stream: stream.expect_end())
    run(main)
