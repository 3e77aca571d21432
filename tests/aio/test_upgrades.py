"""Upgrades in an event loop, beside other calls, and when nobody wants them any more (rules C11, C12)."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from fastvarlink.error import ConnectionLost, PermissionDenied
from wire.rawstream import PATIENCE, RawStream, frame
from wire.scripted import ScriptedPeer, answers

from .running import finished, happens, opened, run, settle

PONG = frame({"parameters": {"text": "pong"}})
DENIED = frame({"error": "org.varlink.service.PermissionDenied"})


@pytest.mark.rule("C12")
def test_the_socket_is_for_the_loop(peer: ScriptedPeer) -> None:
    def script(stream: RawStream) -> None:
        assert b'"upgrade":true' in stream.read_frame()
        stream.send(PONG + b"early")
        assert stream.socket.recv(100) == b"later"
        stream.expect_end()

    async def main() -> None:
        async with opened(peer) as handler:
            reply, connection = await handler.Ping("x", _upgrade=True)
            with connection:
                assert reply == {"text": "pong"}
                assert not connection.getblocking()
                loop = asyncio.get_running_loop()
                data = b""
                while len(data) < 5:
                    data += await loop.sock_recv(connection, 5)
                assert data == b"early"
                await loop.sock_sendall(connection, b"later")
            # The handler goes on with another one.
            assert await handler.Ping("y") == {"text": "pong"}

    peer.start(script, answers(PONG))
    run(main)


def asked(then: Callable[[RawStream], None], arrived: threading.Event, go: threading.Event) -> Any:
    """A script: a call, and one with upgrade behind it; then() comes when that is wanted."""

    def script(stream: RawStream) -> None:
        assert b"upgrade" not in stream.read_frame()
        assert b'"upgrade":true' in stream.read_frame()
        arrived.set()
        assert go.wait(PATIENCE)
        then(stream)

    return script


@pytest.mark.rule("C12")
@pytest.mark.parametrize("refused", [False, True])
def test_calls_beside_an_upgrade(peer: ScriptedPeer, refused: bool) -> None:
    """Those before it are answered, those behind it take another connection."""
    arrived, go = threading.Event(), threading.Event()

    def then(stream: RawStream) -> None:
        stream.send(PONG + (DENIED if refused else PONG))
        stream.expect_end()

    async def main() -> None:
        async with opened(peer) as handler:
            before = asyncio.create_task(handler.Ping("x"))
            upgrade = asyncio.create_task(handler.Ping("x", _upgrade=True))
            await happens(arrived)
            peer.start(answers(PONG, PONG))
            assert await handler.Ping("y") == {"text": "pong"}
            go.set()
            assert await before == {"text": "pong"}
            if refused:
                with pytest.raises(PermissionDenied):
                    await upgrade
            else:
                reply, connection = await upgrade
                connection.close()
                assert reply == {"text": "pong"}
            assert await handler.Ping("z") == {"text": "pong"}

    peer.start(asked(then, arrived, go))
    run(main)


@pytest.mark.rule("R7")
def test_an_upgrade_that_is_given_up_behind_a_call(peer: ScriptedPeer) -> None:
    """The call is answered; then the connection is closed, as nobody knows what would come on it."""
    arrived, go = threading.Event(), threading.Event()

    def then(stream: RawStream) -> None:
        stream.send(PONG)
        stream.expect_end()

    async def main() -> None:
        async with opened(peer) as handler:
            before = asyncio.create_task(handler.Ping("x"))
            upgrade = asyncio.create_task(handler.Ping("x", _upgrade=True))
            await happens(arrived)
            upgrade.cancel()
            await settle()
            go.set()
            assert await before == {"text": "pong"}
            await finished(peer)

    peer.start(asked(then, arrived, go))
    run(main)


@pytest.mark.rule("R7")
def test_an_upgrade_that_is_cancelled_with_its_reply_there_closes_its_socket(peer: ScriptedPeer) -> None:
    async def main() -> None:
        async with opened(peer) as handler:
            # What a task does, step by step.
            call = handler.Ping("x", _upgrade=True)
            answered = call.send(None)
            answered._asyncio_future_blocking = False
            await asyncio.wait([answered])
            with pytest.raises(asyncio.CancelledError):
                call.throw(asyncio.CancelledError())
            await finished(peer)

    peer.start(answers(PONG))
    run(main)


def test_closing_while_an_upgrade_is_under_way(peer: ScriptedPeer) -> None:
    def script(stream: RawStream) -> None:
        stream.read_frame()
        stream.expect_end()

    async def main() -> None:
        async with opened(peer) as handler:
            upgrade = asyncio.create_task(handler.Ping("x", _upgrade=True))
            await settle()
            await handler.close()
            with pytest.raises(ConnectionLost, match="by this program"):
                await upgrade

    peer.start(script)
    run(main)
