"""Connections that leave Varlink at our servers (rules C11, C12), over raw sockets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import fastvarlink

from .passing import INTERFACE, PassingServer
from .rawstream import Pieces, RawStream, call

# ForkingServer does so beside the threads of the tests.
pytestmark = pytest.mark.filterwarnings("ignore:This process .* multi-threaded:DeprecationWarning")

SERVERS = [fastvarlink.ThreadingServer, fastvarlink.Server, fastvarlink.ForkingServer]

PING = call(f"{INTERFACE}.Ping", {"text": "x"})
PONG = {"parameters": {"text": "x"}}


@pytest.fixture(params=SERVERS, ids=lambda kind: kind.__name__)
def stream(request: pytest.FixtureRequest, tmp_path: Path, pieces: Pieces) -> Iterator[RawStream]:
    server = PassingServer(tmp_path, request.param)
    try:
        with RawStream.connect(server.address, pieces) as connected:
            yield connected
    finally:
        server.stop()


def shout(refuse: bool = False, size: int = 0, **flags: bool) -> bytes:
    return call(f"{INTERFACE}.Shout", {"refuse": refuse, "size": size}, **flags)


def read(stream: RawStream, size: int) -> bytes:
    data = stream._received
    while len(data) < size:
        more = stream.socket.recv(size - len(data))
        assert more, data
        data += more
    stream._received = data[size:]
    return data[:size]


@pytest.mark.rule("C11")
def test_it_has_to_be_asked_for(stream: RawStream) -> None:
    stream.send(shout() + PING)
    assert stream.read_reply() == {"error": "org.varlink.service.ExpectedUpgrade"}
    assert stream.read_reply() == PONG


@pytest.mark.rule("C11")
def test_other_methods_are_answered_as_always(stream: RawStream) -> None:
    stream.send(call(f"{INTERFACE}.Ping", {"text": "x"}, upgrade=True) + PING)
    assert stream.read_replies(2) == [PONG, PONG]


@pytest.mark.rule("C12")
def test_an_error_leaves_the_connection_as_it_was(stream: RawStream) -> None:
    stream.send(shout(refuse=True, upgrade=True) + PING)
    assert stream.read_reply() == {"error": f"{INTERFACE}.Refused"}
    assert stream.read_reply() == PONG


@pytest.mark.rule("C12")
def test_what_follows_the_call_is_not_varlink(stream: RawStream) -> None:
    """Nor is it lost, whether it comes with the call or later, and whatever it looks like."""
    stream.send(PING + shout(upgrade=True) + PING + b"early\0")
    assert stream.read_reply() == PONG
    assert stream.read_reply() == {"parameters": {"filler": ""}}
    expected = (PING + b"early\0").upper()
    assert read(stream, len(expected)) == expected
    stream.send(b"later")
    assert read(stream, 5) == b"LATER"
    stream.end_writing()
    stream.expect_end()


@pytest.mark.rule("C12")
def test_what_follows_can_be_read_from_the_descriptor_alone(stream: RawStream) -> None:
    stream.send(PING + call(f"{INTERFACE}.ShoutBare", upgrade=True) + b"early\0")
    assert stream.read_reply() == PONG
    assert stream.read_frame() == b"{}"
    assert read(stream, 6) == b"EARLY\0"
    stream.end_writing()
    stream.expect_end()


@pytest.mark.rule("C12")
def test_a_name_with_escapes_is_handed_over_all_the_same(stream: RawStream) -> None:
    plain = shout(upgrade=True)
    stream.send(plain.replace(b'"upgrade"', rb'"upgr\u0061de"') + b"early")
    assert stream.read_reply() == {"parameters": {"filler": ""}}
    assert read(stream, 5) == b"EARLY"


@pytest.mark.rule("C12")
def test_a_large_reply_is_out_before(stream: RawStream) -> None:
    stream.send(shout(size=2_000_000, upgrade=True) + b"early")
    assert len(stream.read_reply()["parameters"]["filler"]) == 2_000_000
    assert read(stream, 5) == b"EARLY"
