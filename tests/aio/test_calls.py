"""Calls, streams and errors at a server."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import fastvarlink
from fastvarlink import aio
from fastvarlink.error import (
    AddressError,
    ConnectionBusy,
    ConnectionLost,
    EncodingError,
    InterfaceNotFound,
    InvalidParameter,
    MethodNotFound,
    VarlinkError,
)
from wire.sample import DESCRIPTION, INTERFACE, LEFT, RunningServer

from .running import happens, run, settle


def test_calls_and_results(server: RunningServer) -> None:
    async def main() -> None:
        async with aio.Client(server.address) as client, await client.open(INTERFACE) as handler:
            assert await handler.Ping("x") == {"text": "x"}
            assert await handler.Ping(text="y") == {"text": "y"}
            assert await handler.Record("z") == {}
            items = [{"name": "a", "size": 1}, {"name": "b", "size": 2**40}]
            assert await handler.Items(items) == {"items": items}
            assert (await handler.Big(1 << 20))["text"] == "x" * (1 << 20)

    run(main)


def test_methods_have_names_and_texts(server: RunningServer) -> None:
    async def main() -> None:
        async with aio.Client(server.address) as client:
            handler = await client.open(INTERFACE)
            assert handler.Ping.__name__ == "Ping"
            assert handler.Ping.__doc__ == "Sends the text back.\nPing(text: string) -> (text: string)"
            assert not hasattr(handler, "Nothing")

    run(main)


def test_results_as_namespaces(server: RunningServer) -> None:
    async def main() -> None:
        async with aio.Client(server.address) as client:
            handler = await client.open(INTERFACE, namespaced=True)
            assert await handler.Ping("x") == SimpleNamespace(text="x")
            result = await handler.Items([SimpleNamespace(name="a", size=1)])
            assert result.items[0].name == "a"
            assert [reply.i async for reply in handler.Count(2, _more=True)] == [0, 1]

    run(main)


def test_a_stream(server: RunningServer) -> None:
    async def main() -> None:
        async with aio.Client(server.address) as client:
            handler = await client.open(INTERFACE)
            assert [reply["i"] async for reply in handler.Count(1000, _more=True)] == list(range(1000))
            assert [reply async for reply in handler.Ping("once", _more=True)] == [{"text": "once"}]
            async with handler.Count(1, _more=True) as replies:
                assert [reply["i"] async for reply in replies] == [0]
                with pytest.raises(StopAsyncIteration):
                    await anext(replies)
            assert await handler.Ping("x") == {"text": "x"}

    run(main)


def test_a_reply_is_had_by_who_drives_coroutines_without_am_send(server: RunningServer) -> None:
    async def main() -> None:
        async with aio.Client(server.address) as client:
            handler = await client.open(INTERFACE)
            replies = handler.Count(2, _more=True)
            assert [await anext(replies, None) for _ in range(3)] == [{"i": 0}, {"i": 1}, None]
            call = handler.Ping("x")
            arrived = call.send(None)
            while not arrived.done():
                await asyncio.sleep(0)
            with pytest.raises(StopIteration) as sent:
                call.send(None)
            assert sent.value.value == {"text": "x"}
            with pytest.raises(StopIteration) as nothing:
                next(handler.Record("y", _oneway=True))
            assert nothing.value.value is None

    run(main)


def test_oneway_calls_get_no_reply(server: RunningServer) -> None:
    async def main() -> None:
        async with aio.Client(server.address) as client:
            handler = await client.open(INTERFACE)
            for text in "abc":
                assert await handler.Record(text, _oneway=True) is None
            assert await handler.RecordAndFail("d", _oneway=True) is None
            assert await handler.Ping("x") == {"text": "x"}
        assert server.state.recorded == ["a", "b", "c", "d"]

    run(main)


def test_errors(server: RunningServer) -> None:
    async def main() -> None:
        async with aio.Client(server.address) as client:
            handler = await client.open(INTERFACE)
            with pytest.raises(handler.Failed) as caught:
                await handler.Fail("no luck", 13)
            assert (caught.value.reason, caught.value.code) == ("no luck", 13)
            replies = handler.CountAndFail(_more=True)
            assert await anext(replies) == {"i": 0}
            with pytest.raises(handler.Failed):
                await anext(replies)
            with pytest.raises(StopAsyncIteration):
                await anext(replies)
            with pytest.raises(InvalidParameter) as invalid:
                await handler.Ping(1)
            assert invalid.value.parameters() == {"parameter": "text"}
            with pytest.raises(EncodingError):
                await handler.Swallow({"x": float("nan")})
            with pytest.raises(VarlinkError, match="InternalError"):
                await handler.Crash()
            assert await handler.Ping("x") == {"text": "x"}

    run(main)


def test_a_definition_is_fetched_once(server: RunningServer) -> None:
    async def main() -> None:
        async with aio.Client(server.address) as client:
            interface = await client.get_interface(INTERFACE)
            assert interface.description == DESCRIPTION
            handler = await client.open(INTERFACE)
            assert await handler.Ping("x") == {"text": "x"}
            assert await client.get_interfaces() == ["org.varlink.service", INTERFACE]
            assert client.info["product"] == "Wire tests"
            service = await client.open("org.varlink.service")
            assert (await service.GetInfo())["vendor"] == "Example"

    run(main)


def test_an_interface_that_is_not_there(server: RunningServer) -> None:
    async def main() -> None:
        async with aio.Client(server.address) as client:
            for _ in range(2):
                with pytest.raises((InterfaceNotFound, MethodNotFound)):
                    await client.open("org.example.nothing")

    run(main)


def test_a_method_that_only_the_client_knows(server: RunningServer) -> None:
    async def main() -> None:
        async with aio.Client(server.address) as client:
            client.add_interface(fastvarlink.Interface(f"interface {INTERFACE}\nmethod New() -> ()\n"))
            with pytest.raises(MethodNotFound):
                await (await client.open(INTERFACE)).New()
            with pytest.raises(TypeError, match="not a str"):
                client.add_interface(INTERFACE)  # type: ignore[arg-type]

    run(main)


def test_addresses(tmp_path: Path) -> None:
    with pytest.raises(AddressError, match="nowhere"):
        aio.Client("nowhere")

    async def main() -> None:
        async with aio.Client(f"unix:{tmp_path}/missing") as client:
            assert str(client) == f"unix:{tmp_path}/missing"
            with pytest.raises(FileNotFoundError):
                await client.open(INTERFACE)

    run(main)


@pytest.mark.parametrize("address", ["tcp:127.0.0.1:0", "unix:@fastvarlink-aio-{}"])
def test_other_ways_to_a_service(tmp_path: Path, address: str) -> None:
    server = RunningServer(tmp_path, address.format(tmp_path.name.encode().hex()))
    name = server.server.server_address
    address = f"tcp:{name[0]}:{name[1]}" if isinstance(name, tuple) else f"unix:@{name[1:]}"

    async def main() -> None:
        async with aio.Client(address) as client:
            assert await (await client.open(INTERFACE)).Ping("x") == {"text": "x"}

    try:
        run(main)
    finally:
        server.stop()


def test_tasks_share_a_connection(server: RunningServer) -> None:
    async def stream(handler: Any, n: int) -> list[int]:
        return [reply["i"] async for reply in handler.Count(n, _more=True)]

    async def main() -> None:
        async with aio.Client(server.address) as client:
            handler = await client.open(INTERFACE)
            calls = [call for i in range(50) for call in (handler.Ping(str(i)), stream(handler, i + 1))]
            results = await asyncio.gather(*calls)
            assert results[::2] == [{"text": str(i)} for i in range(50)]
            assert results[1::2] == [list(range(i + 1)) for i in range(50)]

    run(main)


def test_a_call_waits_for_the_end_of_a_stream(server: RunningServer) -> None:
    async def main() -> None:
        async with aio.Client(server.address) as client:
            handler = await client.open(INTERFACE)
            replies = handler.Gated(_more=True)
            assert await anext(replies) == {"i": 0}
            call = asyncio.create_task(handler.Ping("behind"))
            await settle()
            assert not call.done()
            server.state.gate.set()
            assert [reply async for reply in replies] == [{"i": 1}]
            assert await call == {"text": "behind"}

    run(main)


def test_a_call_that_its_own_task_would_hold_up_is_refused(server: RunningServer) -> None:
    async def main() -> None:
        async with aio.Client(server.address) as client:
            handler = await client.open(INTERFACE)
            replies = handler.Count(2, _more=True)
            assert await anext(replies) == {"i": 0}
            with pytest.raises(ConnectionBusy, match="second connection"):
                await handler.Ping("x")
            with pytest.raises(ConnectionBusy):
                await anext(handler.Count(1, _more=True))
            await handler.Record("oneway", _oneway=True)
            assert await anext(replies) == {"i": 1}
            # It has been read to its end, though nobody has asked for more.
            await handler.Record("last")
        assert server.state.recorded == ["oneway", "last"]

    run(main)


def test_two_tasks_cannot_read_one_stream(server: RunningServer) -> None:
    async def main() -> None:
        async with aio.Client(server.address) as client:
            handler = await client.open(INTERFACE)
            replies = handler.Gated(_more=True)
            await anext(replies)
            reader = asyncio.ensure_future(anext(replies))
            await settle()
            with pytest.raises(ConnectionBusy, match="Another task"):
                await anext(replies)
            server.state.gate.set()
            assert await reader == {"i": 1}

    run(main)


def test_closing(server: RunningServer) -> None:
    async def main() -> None:
        client = aio.Client(server.address)
        first, second = [await client.open(INTERFACE) for _ in range(2)]
        waiting = asyncio.create_task(first.Hold("x"))
        await settle()
        await first.close()
        await first.close()
        with pytest.raises(ConnectionLost, match="by this program"):
            await waiting
        with pytest.raises(ConnectionLost, match="by this program"):
            await first.Ping("x")
        with pytest.raises(ConnectionLost):
            await first.Record("x", _oneway=True)
        with pytest.raises(ConnectionLost):
            await anext(first.Count(1, _more=True))
        assert await second.Ping("x") == {"text": "x"}
        await client.close()
        await client.close()
        with pytest.raises(ConnectionLost):
            await second.Ping("x")
        with pytest.raises(ConnectionLost, match="client has been closed"):
            await client.open(INTERFACE)
        server.state.gate.set()

    run(main)


@pytest.mark.parametrize("way", ["aclose", "with", "break", "cancel"])
def test_the_generator_of_a_stream_that_is_left_is_closed(server: RunningServer, way: str) -> None:
    async def read(handler: Any) -> None:
        if way == "aclose":
            replies = handler.Endless(100, _more=True)
            assert [(await anext(replies))["i"] for _ in range(3)] == [1, 2, 3]
            await replies.aclose()
            await replies.aclose()
        elif way == "with":
            async with handler.Endless(100, _more=True) as replies:
                assert (await anext(replies))["i"] == 1
        elif way == "break":
            async for reply in handler.Endless(100, _more=True):
                if reply["i"] == 3:
                    break
        else:
            async for _ in handler.Gated(_more=True):
                pass

    async def main() -> None:
        async with aio.Client(server.address) as client:
            handler = await client.open(INTERFACE)
            reading = asyncio.create_task(read(handler))
            if way == "cancel":
                await asyncio.to_thread(server.state.wait_for_arrival)
                reading.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await reading
                server.state.gate.set()
                await happens(server.state.gated_closed)
            else:
                await reading
                await happens(server.state.endless_closed)
                assert isinstance(server.state.endless_end, LEFT)
            # The handler connects anew.
            assert await handler.Ping("x") == {"text": "x"}

    run(main)
