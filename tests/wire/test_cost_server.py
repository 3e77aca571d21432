"""What a message may cost our servers (rules F7, F8, C7), and what strict=False takes back (C2, C4)."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable

import pytest

import fastvarlink

from .rawstream import RawStream, call
from .sample import INTERFACE, RunningServer

Start = Callable[..., RunningServer]
Connect = Callable[[RunningServer], RawStream]

PING = call(f"{INTERFACE}.Ping", {"text": "x"})
PONG = {"parameters": {"text": "x"}}
SWALLOW = f"{INTERFACE}.Swallow"


def swallow(value: str) -> bytes:
    return b'{"method":"%s","parameters":{"value":{"v":%s}}}\0' % (SWALLOW.encode(), value.encode())


@pytest.mark.rule("F7")
@pytest.mark.parametrize(
    ("value", "passes"),
    [
        # The envelope, its parameters and their value have four brackets, and the call one comma.
        ("[" + ",".join("1" * 95) + "]", True),
        ("[" + ",".join("1" * 97) + "]", False),
        ("[" + ",".join(["{}"] * 48) + "]", True),
        ("[" + ",".join(["{}"] * 49) + "]", False),
        # What stands in strings does not count, also behind escapes.
        (json.dumps('\\",[' * 100), True),
    ],
)
def test_a_message_has_so_many_elements(
    start_server: Start, connect: Connect, value: str, passes: bool
) -> None:
    stream = connect(start_server(limits=fastvarlink.Limits(max_elements=100)))
    stream.send(PING + swallow(value))
    assert stream.read_reply() == PONG
    if passes:
        assert stream.read_frame() == b"{}"
        stream.send(PING)
        assert stream.read_reply() == PONG
    else:
        stream.expect_end()


@pytest.mark.rule("F8")
@pytest.mark.parametrize(("depth", "passes"), [(8, True), (9, False), (2000, False)])
def test_a_message_is_so_deep(start_server: Start, connect: Connect, depth: int, passes: bool) -> None:
    stream = connect(start_server(limits=fastvarlink.Limits(max_depth=10)))
    stream.send(swallow("[" * depth + "]" * depth))
    if passes:
        assert stream.read_frame() == b"{}"
    else:
        stream.expect_end()


@pytest.mark.rule("C7")
def test_so_many_calls_wait(start_server: Start, connect: Connect) -> None:
    server = start_server(limits=fastvarlink.Limits(max_queued_calls=2))
    stream = connect(server)
    stream.send(call(f"{INTERFACE}.Hold", {"text": "held"}))
    server.state.wait_for_arrival()
    # No more than a socket holds in pieces of a byte.
    stream.send(PING * 3)
    server.state.gate.set()
    assert stream.read_replies(4) == [{"parameters": {"text": "held"}}, *[PONG] * 3]


LENIENT = [
    b'{"method":"%s.Ping","parameters":{"text":"x"},"unknown":[1]}\0',
    b'{"unknown":{"continues":true},"method":"%s.Ping","parameters":{"text":"x"},"continues":false}\0',
    b'{"method":"%s.Ping","parameters":{"text":"x"},"more":null,"oneway":null,"upgrade":null}\0',
]


@pytest.mark.rule("C4")
@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize("frame", LENIENT)
def test_leniency_is_a_setting(start_server: Start, connect: Connect, frame: bytes, strict: bool) -> None:
    stream = connect(start_server(strict=strict))
    stream.send(PING + frame % INTERFACE.encode() + PING)
    assert stream.read_reply() == PONG
    if strict:
        stream.expect_end()
    else:
        assert stream.read_replies(2) == [PONG, PONG]


@pytest.mark.rule("C2")
@pytest.mark.parametrize(
    "frame", [b'{"method":null}\0', b'{"method":"a.b.C","more":1}\0', b'{"method":"a.b.C","parameters":[]}\0']
)
def test_leniency_has_its_limits(start_server: Start, connect: Connect, frame: bytes) -> None:
    server = start_server(strict=False)
    stream = connect(server)
    stream.send(frame)
    stream.expect_end()


def test_a_message_of_empty_objects_takes_no_memory() -> None:
    """16 MiB of them would take half a gigabyte when they are decoded (rule F7)."""
    code = (
        "import resource, fastvarlink\n"
        "service = fastvarlink.Service()\n"
        'call = b\'{"method":"a.b.C","parameters":{"v":[\' + b\'{},\' * 5_500_000 + b\'{}]}}\'\n'
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try:\n"
        "    list(service.handle(call))\n"
        "except fastvarlink.error.ProtocolError as failure:\n"
        "    assert 'more elements than the limit' in str(failure)\n"
        "    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    # KiB: the message itself is copied twice.
    assert int(done.stdout) < 80 << 10


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ({"max_message_size": 0}, "max_message_size is 0: it must be greater than 0"),
        ({"max_depth": 2000}, "max_depth is 2000: it can be 1024 at most"),
        ({"frame_timeout": -1.0}, "frame_timeout is -1.0"),
    ],
)
def test_limits_have_ranges(limits: dict[str, float], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        fastvarlink.Limits(**limits)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="max_connections is 'many': it must be a number"):
        fastvarlink.Limits(max_connections="many")  # type: ignore[arg-type]
