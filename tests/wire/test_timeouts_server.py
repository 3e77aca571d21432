"""Messages that begin and do not end, and connections without calls, at our servers (rule F12)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import fastvarlink

from .passing import INTERFACE, PassingServer
from .rawstream import PATIENCE, Pieces, RawStream, call

# ForkingServer does so beside the threads of the tests.
pytestmark = pytest.mark.filterwarnings("ignore:This process .* multi-threaded:DeprecationWarning")

SERVERS = [fastvarlink.ThreadingServer, fastvarlink.Server, fastvarlink.ForkingServer]
PING = call(f"{INTERFACE}.Ping", {"text": "x"})
PONG = {"parameters": {"text": "x"}}


@pytest.fixture(params=SERVERS, ids=lambda kind: kind.__name__)
def connect(request: pytest.FixtureRequest, tmp_path: Path, pieces: Pieces) -> Iterator[Any]:
    """Connect to a server with these limits."""
    servers = []
    streams = []

    def begin(**limits: float) -> RawStream:
        servers.append(PassingServer(tmp_path, request.param, limits=fastvarlink.Limits(**limits)))  # type: ignore[arg-type]
        streams.append(RawStream.connect(servers[-1].address, pieces))
        return streams[-1]

    yield begin
    for stream in streams:
        stream.close()
    for server in servers:
        server.stop()


def drip(stream: RawStream) -> float:
    """Send a byte now and then until the peer closes; how long that took."""
    began = time.monotonic()
    while time.monotonic() - began < PATIENCE:
        try:
            stream.socket.send(b" ")
            stream.socket.settimeout(0.02)
            assert stream.socket.recv(1) == b""
            break
        except TimeoutError:
            continue
        except (BrokenPipeError, ConnectionResetError):
            break
    else:
        raise AssertionError("A connection that drips is not closed.")
    return time.monotonic() - began


@pytest.mark.rule("F12")
def test_a_message_that_drips_is_cut_off(connect: Any) -> None:
    stream = connect(frame_timeout=0.3)
    stream.send(PING)
    assert stream.read_reply() == PONG
    stream.send(PING[:5])
    assert drip(stream) >= 0.2


@pytest.mark.rule("F12")
def test_a_message_that_stops_is_cut_off(connect: Any) -> None:
    stream = connect(frame_timeout=0.3)
    stream.send(PING + PING[:5])
    assert stream.read_reply() == PONG
    stream.expect_end()


@pytest.mark.rule("F12")
def test_silence_between_messages_is_not(connect: Any) -> None:
    stream = connect(frame_timeout=0.2)
    for _ in range(2):
        # There is no event for a limit that does not strike.
        time.sleep(0.5)
        stream.send(PING)
        assert stream.read_reply() == PONG


@pytest.mark.rule("F12")
def test_an_idle_connection_is_closed_if_that_is_wanted(connect: Any) -> None:
    stream = connect(idle_timeout=0.3)
    began = time.monotonic()
    for _ in range(3):
        stream.send(PING)
        assert stream.read_reply() == PONG
    stream.expect_end()
    assert time.monotonic() - began >= 0.2


@pytest.mark.rule("F12")
def test_who_never_calls_is_idle_too(connect: Any) -> None:
    connect(idle_timeout=0.3).expect_end()
