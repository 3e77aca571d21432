"""Rude connections and stuck handlers: the others notice nothing."""

from __future__ import annotations

import contextlib
import random
import socket
import struct
from collections.abc import Callable

import pytest

from wire.eventually import eventually
from wire.rawstream import PATIENCE, RawStream, call
from wire.sample import INTERFACE, RunningServer

from .process import descriptors, resident

MIB = 1 << 20
PING = f"{INTERFACE}.Ping"
HOLD = f"{INTERFACE}.Hold"
ENDLESS = f"{INTERFACE}.Endless"

Connect = Callable[[RunningServer], RawStream]


def ask(stream: RawStream, text: str) -> None:
    """One call is made and answered."""
    stream.send(call(PING, {"text": text}))
    assert stream.read_reply() == {"parameters": {"text": text}}


def test_a_thousand_connections_at_once(server: RunningServer, connect: Connect) -> None:
    streams = [connect(server) for _ in range(1000)]
    for i, stream in enumerate(streams):
        stream.send(call(PING, {"text": f"first {i}"}))
    for i, stream in enumerate(streams):
        assert stream.read_reply() == {"parameters": {"text": f"first {i}"}}
    for i, stream in enumerate(reversed(streams)):
        ask(stream, f"second {i}")


def test_a_thousand_connections_one_after_the_other(server: RunningServer) -> None:
    before = descriptors()
    for i in range(1000):
        with RawStream.connect(server.address) as stream:
            ask(stream, str(i))
    eventually(lambda: descriptors() <= before, "the server has closed its ends")


def test_connections_that_say_nothing(server: RunningServer, connect: Connect) -> None:
    before = descriptors()
    silent = [RawStream.connect(server.address) for _ in range(300)]
    for i, stream in enumerate(silent):
        stream.send(call(PING, {"text": "never finished"})[: i % 40])
    ask(connect(server), "served meanwhile")
    for stream in silent:
        stream.close()
    eventually(lambda: descriptors() <= before + 2, "the server has closed its ends")


def test_a_client_that_vanishes_in_mid_stream(server: RunningServer, connect: Connect) -> None:
    other = connect(server)
    ask(other, "before")
    stream = connect(server)
    stream.send(call(ENDLESS, {"size": 100}, more=True))
    for i in range(1, 4):
        assert stream.read_reply()["parameters"]["i"] == i
    stream.close()
    assert server.state.endless_closed.wait(PATIENCE), "The generator has not been closed."
    assert isinstance(server.state.endless_end, (GeneratorExit, ConnectionError))
    ask(other, "after")


def test_a_client_that_resets_in_mid_stream(
    start_server: Callable[[], RunningServer], connect: Connect
) -> None:
    server = start_server()
    stream = connect(server)
    stream.send(call(ENDLESS, {"size": 100}, more=True))
    stream.read_reply()
    # With replies unread, closing sends a reset where the socket is one of TCP, and an error where not.
    stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    stream.close()
    assert server.state.endless_closed.wait(PATIENCE), "The generator has not been closed."
    ask(connect(server), "after")


def test_many_clients_that_vanish_at_every_point(server: RunningServer, connect: Connect) -> None:
    other = connect(server)
    ask(other, "before")
    before = descriptors()
    data = (
        call(PING, {"text": "one"})
        + call(f"{INTERFACE}.Count", {"n": 50}, more=True)
        + call(f"{INTERFACE}.Record", {"text": "x"}, oneway=True)
        + call(f"{INTERFACE}.Crash")
    )
    for length in range(0, len(data), 3):
        with RawStream.connect(server.address) as stream:
            stream.send(data[:length])
        if length % 30 == 0:
            ask(other, f"after {length}")
    eventually(lambda: descriptors() <= before, "the server has closed its ends")


def test_a_client_that_vanishes_while_its_handler_is_held(server: RunningServer, connect: Connect) -> None:
    before = descriptors()
    for _ in range(8):
        with RawStream.connect(server.address) as stream:
            stream.send(call(HOLD, {"text": "nobody waits"}) + call(PING, {"text": "nor here"}))
            server.state.wait_for_arrival()
    with RawStream.connect(server.address) as other:
        ask(other, "served meanwhile")
    server.state.gate.set()
    eventually(lambda: descriptors() <= before, "the server has closed its ends")
    ask(connect(server), "after")


def test_a_client_that_never_reads(server: RunningServer, connect: Connect) -> None:
    other = connect(server)
    ask(other, "before")
    memory = resident()
    stream = connect(server)
    stream.send(call(ENDLESS, {"size": 65_536}, more=True))
    eventually(lambda: server.state.endless_count > 0, "the stream has begun")
    for i in range(200):
        ask(other, f"meanwhile {i}")
    # There is no event for what does not happen: a server that never stops makes hundreds of MiB in
    # this time, one that does has at most a few in its buffers.
    assert not server.state.endless_closed.wait(1.5)
    assert server.state.endless_count * 65_536 < 32 * MIB
    assert resident() - memory < 48 * MIB
    ask(other, "still")
    stream.close()
    assert server.state.endless_closed.wait(PATIENCE), "The generator has not been closed."
    ask(other, "after")


def test_many_clients_that_never_read(server: RunningServer, connect: Connect) -> None:
    other = connect(server)
    memory = resident()
    streams = [connect(server) for _ in range(40)]
    for stream in streams:
        stream.send(call(ENDLESS, {"size": 4096}, more=True))
    for i in range(200):
        ask(other, f"meanwhile {i}")
    assert resident() - memory < 64 * MIB
    for stream in streams:
        stream.close()
    ask(other, "after")


def test_a_client_that_calls_and_never_reads(server: RunningServer, connect: Connect) -> None:
    other = connect(server)
    ask(other, "before")
    memory = resident()
    stream = connect(server)
    # Each call asks for sixty times what it brings.
    stream.flood(call(f"{INTERFACE}.Big", {"size": 4000}), most=64 * MIB)
    assert resident() - memory < 48 * MIB
    ask(other, "after")


GARBAGE: dict[str, bytes] = {
    "nuls": b"\0" * MIB,
    "ones": b"\xff" * MIB + b"\0",
    "braces": b"{" * MIB + b"\0",
    "brackets": b"[" * MIB + b"\0",
    "quotes": b'"' * MIB + b"\0",
    "backslashes": b'{"' + b"\\" * MIB + b"\0",
    "a request of the web": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a greeting of tls": bytes.fromhex("160301020001000001fc0303") + bytes(range(256)),
    "a number without end": b'{"method":1' + b"0" * MIB + b"}\0",
    "names without end": b"{" + b'"a.b":1,' * (MIB // 8) + b"}\0",
    "a good call that is cut": call(PING, {"text": "x" * 1000})[:-3],
}


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE.keys())
def test_garbage_is_no_matter_to_others(server: RunningServer, connect: Connect, garbage: bytes) -> None:
    other = connect(server)
    ask(other, "before")
    before = descriptors()
    for i in range(5):
        with RawStream.connect(server.address) as stream:
            stream.send(garbage)
            ask(other, f"meanwhile {i}")
    eventually(lambda: descriptors() <= before, "the server has closed its ends")
    ask(other, "after")


def test_random_garbage_is_no_matter_to_others(server: RunningServer, connect: Connect) -> None:
    chance = random.Random(20)
    other = connect(server)
    ask(other, "before")
    before = descriptors()
    good = call(PING, {"text": "good", "more": [1, 2, {"a": None}]}, more=True)
    for i in range(400):
        damaged = bytearray(good * 2)
        for _ in range(chance.randrange(1, 6)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        with RawStream.connect(server.address) as stream:
            stream.send(bytes(damaged) if i % 2 else chance.randbytes(300))
            stream.end_writing()
            # Whatever it is taken for, the connection comes to its end.
            with contextlib.suppress(ConnectionResetError):
                while stream.socket.recv(4096):
                    pass
        if i % 20 == 0:
            ask(other, f"meanwhile {i}")
    eventually(lambda: descriptors() <= before, "the server has closed its ends")


def test_frames_that_are_too_large_leave_no_memory(server: RunningServer, connect: Connect) -> None:
    other = connect(server)
    too_large = b" " * (16 * MIB + 1)
    memory = 0
    for i in range(8):
        with RawStream.connect(server.address) as stream:
            stream.send(too_large)
            stream.expect_end()
        if i == 0:
            memory = resident()
    assert resident() - memory < 24 * MIB
    ask(other, "after")


@pytest.mark.parametrize("held", [1, 32])
def test_others_are_served_while_handlers_are_held(
    server: RunningServer, connect: Connect, held: int
) -> None:
    waiting = [connect(server) for _ in range(held)]
    for i, stream in enumerate(waiting):
        stream.send(call(HOLD, {"text": f"held {i}"}))
    server.state.wait_for_arrival(held)
    others = [connect(server) for _ in range(50)]
    for i, stream in enumerate(others):
        ask(stream, f"meanwhile {i}")
    for i, stream in enumerate(others):
        stream.send(call(f"{INTERFACE}.Count", {"n": 3}, more=True))
        assert [reply["parameters"]["i"] for reply in stream.read_replies(3)] == [0, 1, 2]
        ask(stream, f"again {i}")
    server.state.gate.set()
    for i, stream in enumerate(waiting):
        assert stream.read_reply() == {"parameters": {"text": f"held {i}"}}


def test_others_are_served_while_streams_are_held(server: RunningServer, connect: Connect) -> None:
    waiting = [connect(server) for _ in range(32)]
    for stream in waiting:
        stream.send(call(f"{INTERFACE}.Gated", more=True))
    for stream in waiting:
        # The first reply does not wait for the second.
        assert stream.read_reply() == {"parameters": {"i": 0}, "continues": True}
    server.state.wait_for_arrival(len(waiting))
    for i in range(50):
        ask(connect(server), f"meanwhile {i}")
    server.state.gate.set()
    for stream in waiting:
        assert stream.read_reply()["parameters"] == {"i": 1}


def test_waves_of_held_handlers(server: RunningServer, connect: Connect) -> None:
    other = connect(server)
    for _ in range(20):
        server.state.gate.clear()
        waiting = [connect(server) for _ in range(8)]
        for stream in waiting:
            stream.send(call(HOLD, {"text": "held"}))
        server.state.wait_for_arrival(len(waiting))
        ask(other, "meanwhile")
        server.state.gate.set()
        for stream in waiting:
            assert stream.read_reply() == {"parameters": {"text": "held"}}
            stream.close()
