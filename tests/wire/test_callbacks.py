"""Varlink in the other direction after an upgrade: not a byte of it is lost to the call before (rule C12)."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvloop

import fastvarlink
from fastvarlink import aio

from .rawstream import RawStream, call, frame
from .sample import DESCRIPTION, INTERFACE, RunningServer, State, make_service
from .scripted import ScriptedPeer

PING = call(f"{INTERFACE}.Ping", {"text": "x"})
PONG = {"parameters": {"text": "x"}}
Turned = Callable[[Callable[[Any], Any]], RawStream]
CLIENTS: dict[str, Any] = {
    "blocking": None,
    "asyncio": asyncio.new_event_loop,
    "own": aio.EventLoop,
    "uvloop": uvloop.new_event_loop,
}


@fastvarlink.interface("org.example.turning")
class Turning:
    """Hands its connections to ``function``."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self._function = function

    @fastvarlink.method(upgrade=True)
    def Turn(self, _context: fastvarlink.Context) -> None:
        _context.take_over(self._function)


@pytest.fixture
def turned(tmp_path: Path, driver: str, connect: Any) -> Iterator[Turned]:
    """A connection to a service that hands it to a function when it is asked to turn."""
    servers = []

    def start(function: Callable[[Any], Any]) -> RawStream:
        service = fastvarlink.Service()
        service.interface(Turning(function))
        server = RunningServer(tmp_path, service=service, driver=driver)
        servers.append(server)
        stream: RawStream = connect(server)
        return stream

    yield start
    for server in servers:
        server.stop()


@pytest.mark.rule("C12")
def test_a_call_right_behind_the_reply_is_answered(tmp_path: Path, peer: ScriptedPeer, client: str) -> None:
    def script(stream: RawStream) -> None:
        stream.read_frame()
        stream.send(frame({}) + PING + call(f"{INTERFACE}.Ping", {"text": "y"}) + PING[:9])
        assert stream.read_replies(2) == [PONG, {"parameters": {"text": "y"}}]
        stream.send(PING[9:])
        assert stream.read_reply() == PONG

    peer.start(script)
    subscribe(client, peer.address, make_service(tmp_path, State()))
    peer.finish()


def subscribe(client: str, address: str, service: fastvarlink.Service) -> None:
    """Ask the service to turn, and be the server on that connection until it is over."""
    turning = fastvarlink.Interface("interface org.example.turning\nmethod Turn() -> ()")
    if CLIENTS[client] is None:
        with fastvarlink.Client(address) as blocking:
            blocking.add_interface(turning)
            with blocking.open("org.example.turning") as handler:
                _, connection = handler.Turn(_upgrade=True)
                service.serve_connection(connection)
        return

    async def main() -> None:
        async with aio.Client(address) as asynchronous:
            asynchronous.add_interface(turning)
            async with await asynchronous.open("org.example.turning") as handler:
                _, connection = await handler.Turn(_upgrade=True)
                await service.serve_connection_async(connection)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    with asyncio.Runner(loop_factory=CLIENTS[client]) as runner:
        runner.run(main())


@pytest.fixture(params=CLIENTS)
def client(request: pytest.FixtureRequest) -> str:
    """What calls first, and then serves."""
    chosen: str = request.param
    return chosen


@pytest.mark.rule("C12")
def test_calls_right_behind_the_call_are_for_whoever_serves_next(
    tmp_path: Path, turned: Turned, driver: str
) -> None:
    service = make_service(tmp_path, State(), driver)

    async def serve(connection: socket.socket) -> None:
        await service.serve_connection_async(connection)

    stream = turned(service.serve_connection if driver in ("threads", "loop") else serve)
    stream.send(call("org.example.turning.Turn", upgrade=True) + PING + PING[:9])
    assert stream.read_replies(2) == [{}, PONG]
    stream.send(PING[9:])
    assert stream.read_reply() == PONG
    stream.end_writing()
    stream.expect_end()


@pytest.mark.rule("C12")
def test_the_service_calls_once_its_reply_is_out(turned: Turned, driver: str) -> None:
    """And what the client sends by itself is taken for no reply."""
    ended: list[str] = []
    sample = fastvarlink.Interface(DESCRIPTION)

    def report(connection: socket.socket) -> None:
        with fastvarlink.Client.over(connection) as client:
            client.add_interface(sample)
            ended.append(client.open(INTERFACE).Ping("x")["text"])

    async def report_async(connection: socket.socket) -> None:
        async with aio.Client.over(connection) as client:
            client.add_interface(sample)
            ended.append((await (await client.open(INTERFACE)).Ping("x"))["text"])

    stream = turned(report if driver in ("threads", "loop") else report_async)
    stream.send(call("org.example.turning.Turn", upgrade=True))
    assert stream.read_frame() == b"{}"
    assert stream.read_frame() == PING[:-1]
    stream.send(frame(PONG))
    stream.expect_end()
    assert ended == ["x"]


async def received(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = await asyncio.get_running_loop().sock_recv(connection, size - len(data))
        assert more, data
        data += more
    return data


@pytest.mark.rule("C12")
@pytest.mark.parametrize("client", [each for each in CLIENTS if each != "blocking"])
@pytest.mark.parametrize("size", [1, 20_000])
def test_nothing_behind_the_reply_is_read_by_a_task(peer: ScriptedPeer, client: str, size: int) -> None:
    text = "x" * size

    def script(stream: RawStream) -> None:
        assert stream.read_frame()[-1:] == b"}"
        assert b'"upgrade":true' in stream.read_frame()
        stream.send(frame(PONG) + frame({"parameters": {"text": text}}) + b"early\0{}\0")
        assert stream.socket.recv(100) == b"later"
        stream.send(b"end")

    async def main() -> None:
        async with aio.Client(peer.address) as caller:
            caller.add_interface(fastvarlink.Interface(DESCRIPTION))
            handler = await caller.open(INTERFACE)
            # One call waits in front of it.
            before = asyncio.ensure_future(handler.Ping("x"))
            await asyncio.sleep(0)
            reply, connection = await handler.Ping("x", _upgrade=True)
            assert (await before, reply) == ({"text": "x"}, {"text": text})
            with connection:
                loop = asyncio.get_running_loop()
                assert await received(connection, 9) == b"early\0{}\0"
                await loop.sock_sendall(connection, b"later")
                assert await received(connection, 3) == b"end"

    peer.start(script)
    with asyncio.Runner(loop_factory=CLIENTS[client]) as runner:
        runner.run(main())
    peer.finish()


@pytest.mark.rule("C12")
def test_an_error_leaves_the_connection_of_a_task_as_it_was(peer: ScriptedPeer) -> None:
    def script(stream: RawStream) -> None:
        stream.read_frame()
        stream.send(frame({"error": f"{INTERFACE}.Failed", "parameters": {"reason": "no", "code": 1}}))
        assert b"upgrade" not in stream.read_frame()
        stream.send(frame(PONG))

    async def main() -> None:
        async with aio.Client(peer.address) as client:
            client.add_interface(fastvarlink.Interface(DESCRIPTION))
            handler = await client.open(INTERFACE)
            with pytest.raises(fastvarlink.VarlinkError):
                await handler.Ping("x", _upgrade=True)
            assert await handler.Ping("x") == {"text": "x"}

    peer.start(script)
    asyncio.run(main())
    peer.finish()
