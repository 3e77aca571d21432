"""aio.Client.over() and serve_connection_async(): one connection, in one event loop."""

from __future__ import annotations

import asyncio
import gc
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

import fastvarlink
from fastvarlink import aio
from fastvarlink.error import ConnectionBusy, ConnectionLost
from wire.rawstream import RawStream, frame
from wire.sample import DESCRIPTION, INTERFACE, State, make_service
from wire.scripted import ScriptedPeer

from .running import finished, opened, run, settle

PONG = frame({"parameters": {"text": "pong"}})


class AsyncWireClient(fastvarlink.AsyncTypedClient, definition=fastvarlink.Definition(DESCRIPTION)):
    """A typed client of the sample interface, as it is generated."""

    def Ping(self, text: str) -> Any:
        return self._invoke("Ping", (text,), False, False)


@asynccontextmanager
async def served(directory: Path, **options: Any) -> AsyncIterator[tuple[aio.Client, asyncio.Task[None]]]:
    """A client of a connection that is served in the same loop, and the task that serves."""
    near, far = socket.socketpair()
    state = State()
    service = make_service(directory, state, "coroutines", **options)
    task = asyncio.create_task(service.serve_connection_async(far))
    async with aio.Client.over(near) as client:
        yield client, task
    # A thread waits there.
    state.gate.set()
    await asyncio.wait([task])
    assert (near.fileno(), far.fileno()) == (-1, -1)


def test_all_handlers_share_the_connection(tmp_path: Path) -> None:
    async def main() -> None:
        async with served(tmp_path) as (client, task):
            assert await client.get_interfaces() == ["org.varlink.service", INTERFACE]
            assert (await client.get_interface(INTERFACE)).name == INTERFACE
            async with await client.open(INTERFACE) as first:
                assert await first.Ping("x") == {"text": "x"}
            async with await client.open(AsyncWireClient) as second:
                assert (await second.Ping("y"))["text"] == "y"
            # Neither has closed it.
            assert [reply["i"] async for reply in first.Count(3, _more=True)] == [0, 1, 2]
            assert str(client) == "Client over a connection"
        with pytest.raises(ConnectionLost):
            await first.Ping("too late")
        task.result()

    run(main)


def test_a_call_that_is_given_up_does_no_harm_to_others(tmp_path: Path) -> None:
    """Those that are made afterwards go over the same connection, as there is no other."""

    def script(stream: RawStream) -> None:
        for _ in range(3):
            stream.read_frame()
        stream.send(PONG * 3)
        stream.read_frame()
        stream.send(PONG)
        stream.expect_end()

    async def main() -> None:
        peer = ScriptedPeer(tmp_path, "whole")
        peer.start(script)
        endpoint = socket.socket(socket.AF_UNIX)
        endpoint.connect(peer.address.removeprefix("unix:"))
        async with aio.Client.over(endpoint) as client:
            client.add_interface(fastvarlink.Interface(DESCRIPTION))
            handler = await client.open(INTERFACE)
            first, second = (asyncio.ensure_future(handler.Ping("x")) for _ in range(2))
            await settle()
            first.cancel()
            await settle()
            assert await handler.Ping("x") == await second == {"text": "pong"}
            assert await handler.Ping("x") == {"text": "pong"}
        await finished(peer)
        peer.close()

    run(main)


def test_no_call_is_made_behind_an_upgrade(tmp_path: Path) -> None:
    async def main() -> None:
        near, far = socket.socketpair()
        async with aio.Client.over(near) as client:
            client.add_interface(fastvarlink.Interface(DESCRIPTION))
            handler = await client.open(INTERFACE)
            upgrade = asyncio.ensure_future(handler.Ping("x", _upgrade=True))
            await settle()
            with pytest.raises(ConnectionBusy, match="An upgrade has been asked for"):
                await handler.Ping("x")
            far.sendall(PONG)
            _, connection = await upgrade
            assert connection is near
            with pytest.raises(ConnectionLost, match="has left Varlink"):
                await handler.Ping("x")
        # The client has closed what is no longer its own as little as its handler.
        assert near.fileno() != -1
        near.close()
        far.close()

    run(main)


def test_a_call_that_cannot_be_written_fails_at_once() -> None:
    """As where a service drains: what it has not read by then can no longer be sent to it."""

    async def main() -> None:
        near, far = socket.socketpair()
        async with aio.Client.over(near) as client:
            client.add_interface(fastvarlink.Interface(DESCRIPTION))
            far.shutdown(socket.SHUT_RD)
            with pytest.raises(ConnectionLost):
                await (await client.open(INTERFACE)).Ping("x")
        far.close()

    run(main)


def test_the_socket_of_an_upgrade_that_nobody_takes_is_closed(tmp_path: Path) -> None:
    async def main() -> None:
        near, far = socket.socketpair()
        async with aio.Client.over(near) as client:
            client.add_interface(fastvarlink.Interface(DESCRIPTION))
            handler = await client.open(INTERFACE)
            upgrade = asyncio.ensure_future(handler.Ping("x", _upgrade=True))
            await settle()
            far.sendall(PONG)
            # The reply is there, and its task has not come to it.
            asyncio.get_running_loop().call_later(0, upgrade.cancel)
            while not upgrade.done():
                await asyncio.sleep(0)
            if not upgrade.cancelled():
                upgrade.result()[1].close()
        assert near.fileno() == -1
        far.close()

    run(main)


def test_an_upgrade_that_is_given_up_ends_the_connection(peer: ScriptedPeer) -> None:
    """Once the calls before it are answered, as nobody would speak what comes next."""

    def script(stream: RawStream) -> None:
        stream.read_frame()
        assert b"upgrade" in stream.read_frame()
        stream.send(PONG)
        stream.expect_end()

    def next_one(stream: RawStream) -> None:
        stream.read_frame()
        stream.send(PONG)
        stream.expect_end()

    peer.start(script, next_one)

    async def main() -> None:
        async with opened(peer) as handler:
            before = asyncio.ensure_future(handler.Ping("x"))
            upgrade = asyncio.ensure_future(handler.Ping("x", _upgrade=True))
            await settle()
            upgrade.cancel()
            assert await before == {"text": "pong"}
            assert await handler.Ping("x") == {"text": "pong"}

    run(main)


@pytest.mark.parametrize("times", [1, 2])
def test_serving_is_cancelled(tmp_path: Path, times: int) -> None:
    async def main() -> None:
        async with served(tmp_path) as (client, task):
            handler = await client.open(INTERFACE)
            hanging = asyncio.ensure_future(handler.Hold("x")) if times == 2 else None
            await handler.Ping("x") if hanging is None else await settle()
            for _ in range(times):
                task.cancel()
                await settle()
            await asyncio.wait([task])
            assert task.cancelled()
            if hanging is not None:
                assert isinstance((await asyncio.gather(hanging, return_exceptions=True))[0], ConnectionLost)
            with pytest.raises(ConnectionLost):
                await handler.Ping("x")

    run(main)


def test_serving_is_cancelled_before_it_begins(tmp_path: Path) -> None:
    async def main() -> None:
        near, far = socket.socketpair()
        task = asyncio.create_task(make_service(tmp_path, State()).serve_connection_async(far))
        asyncio.get_running_loop().call_soon(task.cancel)
        await asyncio.wait([task])
        assert task.cancelled()
        assert far.fileno() == -1
        near.close()

    run(main)


def test_a_peer_that_may_not_connect_is_not_served(tmp_path: Path) -> None:
    async def main() -> None:
        async with served(tmp_path, allow=lambda peer: False, refuse_connections=True) as (client, task):
            with pytest.raises(ConnectionLost):
                await client.get_interfaces()
            await task

    run(main)


def test_many_connections_are_served_in_one_loop(tmp_path: Path) -> None:
    async def main() -> None:
        service = make_service(tmp_path, State(), "coroutines")
        async with asyncio.TaskGroup() as group:
            for _ in range(5):
                near, far = socket.socketpair()
                group.create_task(service.serve_connection_async(far))

                async def call(near: socket.socket) -> None:
                    async with aio.Client.over(near) as client:
                        handler = await client.open(INTERFACE)
                        assert await handler.Ping("x") == {"text": "x"}

                group.create_task(call(near))

    run(main)
    with asyncio.Runner(loop_factory=aio.EventLoop) as runner:
        runner.run(main())


def test_only_a_plain_socket_will_do(tmp_path: Path) -> None:
    async def main() -> None:
        with open(tmp_path / "file", "wb") as file:
            with pytest.raises(TypeError, match="needs a connected socket"):
                aio.Client.over(file)  # type: ignore[arg-type]
            with pytest.raises(TypeError, match="A connected socket can be served"):
                await make_service(tmp_path, State()).serve_connection_async(file)  # type: ignore[arg-type]

    run(main)


def test_a_client_that_is_not_closed_is_noticed(tmp_path: Path) -> None:
    async def main() -> None:
        near, far = socket.socketpair()
        client = aio.Client.over(near)
        del client
        gc.collect()
        await settle()
        assert near.fileno() == -1
        far.close()

    run(main)
