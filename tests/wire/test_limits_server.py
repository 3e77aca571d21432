"""F7 to F9 at the server: frames that are too large, too deep, or too large to be sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fastvarlink.limits import Limits

from .rawstream import RawStream, call
from .sample import INTERFACE, RunningServer

PING = f"{INTERFACE}.Ping"
LIMIT = 4096

StartServer = Callable[..., RunningServer]
Connect = Callable[[RunningServer], RawStream]


@pytest.fixture
def small(start_server: StartServer) -> RunningServer:
    """A server with a limit of LIMIT bytes a message."""
    return start_server(limits=Limits(max_message_size=LIMIT))


def ping_of(size: int) -> bytes:
    """A call whose frame has the given number of bytes before its NUL."""
    empty = call(PING, {"text": ""})
    return call(PING, {"text": "x" * (size - len(empty) + 1)})


def nested(depth: int) -> bytes:
    """A call with a parameter whose objects make the message that deep."""
    inner = depth - 2
    return (
        b'{"method":"org.example.wire.Swallow","parameters":{"value":'
        + b'{"a":' * (inner - 1)
        + b"{}"
        + b"}" * (inner - 1)
        + b"}}\0"
    )


@pytest.mark.rule("F7")
def test_a_frame_under_the_limit_is_answered(small: RunningServer, connect: Connect) -> None:
    stream = connect(small)
    stream.send(ping_of(LIMIT - 1))
    assert "error" not in stream.read_reply()


@pytest.mark.rule("F7")
@pytest.mark.parametrize("extra", [1, 100, 3 * LIMIT, 1 << 20])
def test_more_than_the_limit_without_nul_closes(small: RunningServer, connect: Connect, extra: int) -> None:
    stream = connect(small)
    stream.send(b" " * (LIMIT + extra))
    stream.expect_end()


@pytest.mark.rule("F7")
@pytest.mark.parametrize("extra", [1, 100, 3 * LIMIT])
def test_a_whole_call_over_the_limit_closes(small: RunningServer, connect: Connect, extra: int) -> None:
    stream = connect(small)
    stream.send(ping_of(LIMIT + extra))
    stream.expect_end()


@pytest.mark.rule("F7")
@pytest.mark.rule("F5")
def test_calls_before_a_frame_over_the_limit_are_answered(small: RunningServer, connect: Connect) -> None:
    stream = connect(small)
    stream.send(call(PING, {"text": "first"}) + b" " * (LIMIT + 1))
    assert stream.read_reply() == {"parameters": {"text": "first"}}
    stream.expect_end()


@pytest.mark.rule("F7")
def test_the_limit_is_for_one_frame_not_for_one_write(small: RunningServer, connect: Connect) -> None:
    stream = connect(small)
    for size in (100, 1000, LIMIT - 1):
        stream.send(ping_of(size) * 20)
        assert all("error" not in reply for reply in stream.read_replies(20))


@pytest.mark.rule("F7")
def test_others_live_on_when_one_exceeds_the_limit(small: RunningServer, connect: Connect) -> None:
    other, large = connect(small), connect(small)
    other.send(call(PING, {"text": "before"}))
    assert other.read_reply() == {"parameters": {"text": "before"}}
    large.send(b"x" * (LIMIT + 1))
    large.expect_end()
    other.send(call(PING, {"text": "after"}))
    assert other.read_reply() == {"parameters": {"text": "after"}}


@pytest.mark.rule("F7")
def test_the_default_limit_is_16_mib(server: RunningServer, connect: Connect) -> None:
    # Byte by byte would be 16 million writes; pieces of 1000 bytes do not fall on any boundary.
    under, over = connect(server), connect(server)
    size = 1 << 20 if under.pieces == "whole" else 1000
    under.send_in(size, ping_of((16 << 20) - 1024))
    assert "error" not in under.read_reply()
    over.send_in(size, b" " * ((16 << 20) + 1))
    over.expect_end()


@pytest.mark.rule("F8")
@pytest.mark.parametrize("depth", [3, 200, 1000])
def test_nesting_within_the_limit_is_answered(stream: RawStream, depth: int) -> None:
    stream.send(nested(depth))
    assert stream.read_reply() == {}


@pytest.mark.rule("F8")
@pytest.mark.parametrize("depth", [1030, 5000])
def test_nesting_beyond_the_limit_closes(server: RunningServer, connect: Connect, depth: int) -> None:
    stream = connect(server)
    stream.send(nested(depth))
    stream.expect_end()
    other = connect(server)
    other.send(call(PING, {"text": "alive"}))
    assert other.read_reply() == {"parameters": {"text": "alive"}}


@pytest.mark.rule("F8")
# It is the decoder that has to stand it, which all ways to serve share.
@pytest.mark.parametrize("driver", ["threads"], indirect=True)
@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[{"a":'])
@pytest.mark.parametrize("prefix", [b"", b'{"method":"org.example.wire.Ping","a.b":', b'{"x":'])
def test_hundred_thousand_openings_close(
    server: RunningServer, connect: Connect, opening: bytes, prefix: bytes
) -> None:
    stream = connect(server)
    # The frame is far past the length that is worth writing byte by byte in lockstep.
    stream.send(prefix + opening * 100_000 + b"\0")
    stream.expect_end()
    other = connect(server)
    other.send(call(PING, {"text": "alive"}))
    assert other.read_reply() == {"parameters": {"text": "alive"}}


@pytest.mark.rule("F9")
@pytest.mark.parametrize("size", [LIMIT, 2 * LIMIT, 1 << 20])
def test_a_reply_over_the_limit_is_an_error(small: RunningServer, connect: Connect, size: int) -> None:
    stream = connect(small)
    stream.send(call(f"{INTERFACE}.Big", {"size": size}))
    reply = stream.read_reply()
    assert isinstance(reply["error"], str)
    assert not reply.get("continues")
    stream.send(call(PING, {"text": "usable"}))
    assert stream.read_reply() == {"parameters": {"text": "usable"}}


@pytest.mark.rule("F9")
def test_replies_around_one_over_the_limit_arrive(small: RunningServer, connect: Connect) -> None:
    stream = connect(small)
    sizes = [1, LIMIT, 2, 2 * LIMIT, 3]
    stream.send(b"".join(call(f"{INTERFACE}.Big", {"size": size}) for size in sizes))
    replies: list[dict[str, Any]] = stream.read_replies(len(sizes))
    assert ["error" in reply for reply in replies] == [False, True, False, True, False]


@pytest.mark.rule("F9")
def test_a_stream_that_grows_over_the_limit_ends_in_an_error(small: RunningServer, connect: Connect) -> None:
    stream = connect(small)
    stream.send(call(f"{INTERFACE}.Grow", {"first": 10, "second": 2 * LIMIT}, more=True))
    assert stream.read_reply() == {"parameters": {"text": "x" * 10}, "continues": True}
    last = stream.read_reply()
    assert isinstance(last["error"], str)
    assert "continues" not in last
    stream.send(call(PING, {"text": "usable"}))
    assert stream.read_reply() == {"parameters": {"text": "usable"}}


@pytest.mark.rule("F9")
def test_an_error_reply_over_the_limit_is_another_error(small: RunningServer, connect: Connect) -> None:
    # The name of an unknown method is sent back, in an envelope that is longer than the call's.
    stream = connect(small)
    stream.send(call("x" * (LIMIT - 20)))
    assert isinstance(stream.read_reply()["error"], str)
    stream.send(call(PING, {"text": "usable"}))
    assert stream.read_reply() == {"parameters": {"text": "usable"}}
