"""File descriptors at our servers (rules D1 to D4), over raw sockets."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

import fastvarlink

from .passing import INTERFACE, PassingServer, held, holding
from .rawstream import PATIENCE, Pieces, RawStream, call

Start = Callable[..., PassingServer]
# ForkingServer does so beside the threads of the tests.
pytestmark = pytest.mark.filterwarnings("ignore:This process .* multi-threaded:DeprecationWarning")

SERVERS = [fastvarlink.ThreadingServer, fastvarlink.Server, fastvarlink.ForkingServer]

READ = call(f"{INTERFACE}.Read")
PING = call(f"{INTERFACE}.Ping", {"text": "x"})
PONG = {"parameters": {"text": "x"}}


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    running: list[PassingServer] = []

    def begin(kind: Any = fastvarlink.ThreadingServer, **options: Any) -> PassingServer:
        running.append(PassingServer(tmp_path, kind, **options))
        return running[-1]

    yield begin
    for server in running:
        server.stop()


@pytest.fixture(params=SERVERS, ids=lambda kind: kind.__name__)
def server(request: pytest.FixtureRequest, start: Start) -> PassingServer:
    return start(request.param)


@pytest.fixture
def stream(server: PassingServer, pieces: Pieces) -> Iterator[RawStream]:
    with RawStream.connect(server.address, pieces) as connected:
        # A process that is forked for it is there now, and has none of the descriptors that the test makes.
        connected.send(PING)
        assert connected.read_reply() == PONG
        yield connected


def send(stream: RawStream, data: bytes, *texts: str) -> None:
    """Send bytes, the first of them with descriptors that hold the texts."""
    fds = [holding(text) for text in texts]
    first = data if stream.pieces == "whole" else data[:1]
    taken = socket.send_fds(stream.socket, [first], fds)
    for fd in fds:
        os.close(fd)
    stream.send(data[taken:])


def receive(stream: RawStream) -> tuple[bytes, list[int]]:
    """What comes in one read, and the descriptors that come with it."""
    data, fds, flags, _ = socket.recv_fds(stream.socket, 1 << 16, 253)
    assert not flags & socket.MSG_CTRUNC
    return data, fds


def let_go(fd: int) -> None:
    """Wait until the other end of a pipe has been closed everywhere."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            os.write(fd, b"x")
        except BrokenPipeError:
            os.close(fd)
            return
        time.sleep(0.01)
    raise AssertionError("The descriptor is still open.")


@pytest.mark.rule("D2")
def test_descriptors_come_with_their_message(stream: RawStream) -> None:
    send(stream, READ, "one", "two")
    assert stream.read_reply() == {"parameters": {"texts": ["one", "two"]}}
    stream.send(READ)
    assert stream.read_reply() == {"parameters": {"texts": []}}


@pytest.mark.rule("D2")
def test_messages_that_arrive_together_keep_their_own(stream: RawStream) -> None:
    for i in range(5):
        # A plain message in front of one with descriptors, and one behind it in the same send.
        stream.send(PING)
        send(stream, READ + READ, f"a{i}", f"b{i}")
    for i in range(5):
        assert stream.read_reply() == PONG
        assert stream.read_reply() == {"parameters": {"texts": [f"a{i}", f"b{i}"]}}
        assert stream.read_reply() == {"parameters": {"texts": []}}


@pytest.mark.rule("D2")
def test_a_large_message_keeps_its_own(stream: RawStream) -> None:
    if stream.pieces == "bytes":
        # What matters is the size of the pieces that the kernel makes.
        large = call(f"{INTERFACE}.Read", None, **{"org.example.filler": "x" * 5000})
    else:
        large = call(f"{INTERFACE}.Read", None, **{"org.example.filler": "x" * 500_000})
    send(stream, large, "one")
    send(stream, large, "two")
    assert stream.read_reply() == {"parameters": {"texts": ["one"]}}
    assert stream.read_reply() == {"parameters": {"texts": ["two"]}}


@pytest.mark.rule("D2")
def test_descriptors_in_the_middle_of_a_message_close(stream: RawStream) -> None:
    reading, writing = os.pipe()
    stream.send(PING + READ[:20])
    stream.settle()
    socket.send_fds(stream.socket, [READ[20:]], [reading])
    os.close(reading)
    # What was whole before is answered.
    assert stream.read_reply() == PONG
    stream.expect_end()
    let_go(writing)


@pytest.mark.rule("D2")
def test_replies_bring_theirs_with_the_first_byte(stream: RawStream) -> None:
    stream.send(call(f"{INTERFACE}.Write", {"texts": ["one", "two"]}))
    first, _, _, _ = stream.socket.recvmsg(1, 0, socket.MSG_PEEK)
    assert first == b"{"
    data, fds, _, _ = socket.recv_fds(stream.socket, 1, 10)
    assert (data, [held(fd) for fd in fds]) == (b"{", ["one", "two"])
    rest, fds = receive(stream)
    assert (rest, fds) == (b'"parameters":{"count":2}}\0', [])


@pytest.mark.rule("D2")
def test_each_reply_of_a_stream_brings_its_own(stream: RawStream) -> None:
    stream.send(call(f"{INTERFACE}.WriteEach", {"n": 5}, more=True) + PING)
    data = b""
    texts = []
    while b"text" not in data:
        received, fds = receive(stream)
        if fds:
            # The kernel ends a read behind what descriptors came with.
            texts.append((data + received).count(b'"i"'))
            assert held(fds[0]) == str(len(texts) - 1)
            assert len(fds) == 1
        data += received
    assert len(texts) == 5
    assert data.count(b'"i"') == 5


@pytest.mark.rule("D3")
def test_received_descriptors_are_closed_when_children_start(start: Start, pieces: Pieces) -> None:
    server = start()
    with RawStream.connect(server.address, pieces) as stream:
        send(stream, READ, "one", "two")
        stream.read_reply()
    assert server.handlers.inheritable == [False, False]


@pytest.mark.rule("D3")
@pytest.mark.parametrize(
    "data",
    [
        call(f"{INTERFACE}.ReadOne"),  # is looked at, not taken
        call(f"{INTERFACE}.Ping", {"text": "x"}),  # takes none
        call(f"{INTERFACE}.Nope"),
        call("org.example.nope.Nope"),
        call("org.varlink.service.GetInfo"),
        call(f"{INTERFACE}.Read", {"nope": 1}),
        call(f"{INTERFACE}.Shout", {"refuse": True, "size": 0}),
        call(f"{INTERFACE}.ReadOne", oneway=True),
        b"garbage\0",
        b'{"method":"unfinished',
    ],
)
def test_descriptors_are_closed_whatever_comes_of_the_call(stream: RawStream, data: bytes) -> None:
    """At the latest when the connection is: here only where the message is not valid or not whole."""
    reading, writing = os.pipe()
    os.write(writing, b"x")
    os.set_blocking(writing, True)
    first = data if stream.pieces == "whole" else data[:1]
    socket.send_fds(stream.socket, [first], [reading])
    os.close(reading)
    stream.send(data[len(first) :])
    if data.endswith(b"unfinished"):
        stream.end_writing()
    let_go(writing)


@pytest.mark.rule("D3")
def test_what_a_failed_call_gave_is_closed(stream: RawStream, server: PassingServer) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        stream.send(call(f"{INTERFACE}.WriteAndFail"))
        data, fds = receive(stream)
        while not data.endswith(b"\0"):
            more, others = receive(stream)
            data, fds = data + more, fds + others
        assert b"InternalError" in data
        assert fds == []
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.rule("D3")
def test_unread_replies_close_theirs(start: Start, pieces: Pieces) -> None:
    server = start()
    before = len(os.listdir("/proc/self/fd"))
    with RawStream.connect(server.address, pieces) as stream:
        # More than the socket takes, so that some are still queued when it is closed.
        stream.send(call(f"{INTERFACE}.WriteEach", {"n": 2000}, more=True))
        receive(stream)
    deadline = time.monotonic() + PATIENCE
    while len(os.listdir("/proc/self/fd")) > before + 1 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(os.listdir("/proc/self/fd")) <= before + 1


@pytest.mark.rule("D4")
@pytest.mark.parametrize("texts", [[], ["one", "two"]])
def test_a_wrong_number_is_an_invalid_parameter(stream: RawStream, texts: list[str]) -> None:
    send(stream, call(f"{INTERFACE}.ReadOne"), *texts)
    invalid = {"error": "org.varlink.service.InvalidParameter", "parameters": {"parameter": "descriptors"}}
    assert stream.read_reply() == invalid
    send(stream, PING, "one")
    assert stream.read_reply() == invalid
    send(stream, call(f"{INTERFACE}.ReadOne"), "one")
    assert stream.read_reply() == {"parameters": {"text": "one"}}


@pytest.mark.rule("D1")
def test_a_service_without_such_an_interface_receives_none(start: Start, pieces: Pieces) -> None:
    server = start(descriptors=False)
    with RawStream.connect(server.address, pieces) as stream:
        stream.send(PING)
        assert stream.read_reply() == PONG
        reading, writing = os.pipe()
        try:
            socket.send_fds(stream.socket, [PING], [reading])
        except PermissionError:
            # The kernel does not even let them through.
            stream.send(PING)
        os.close(reading)
        assert stream.read_reply() == PONG
        let_go(writing)


@pytest.mark.rule("D1")
def test_another_interface_of_the_service_does_not_mind_them(start: Start, pieces: Pieces) -> None:
    server = start()
    with RawStream.connect(server.address, pieces) as stream, ExitStack() as undo:
        reading, writing = os.pipe()
        undo.callback(let_go, writing)
        info = call("org.varlink.service.GetInfo")
        socket.send_fds(stream.socket, [info], [reading])
        os.close(reading)
        assert INTERFACE in stream.read_reply()["parameters"]["interfaces"]
        stream.send(PING)
        assert stream.read_reply() == PONG
