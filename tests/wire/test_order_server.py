"""C6 to C8 at the server: the order of replies, what waits, and what is never answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fastvarlink.limits import Limits

from .rawstream import RawStream, call, frame
from .sample import INTERFACE, RunningServer, State

PING = f"{INTERFACE}.Ping"
HOLD = f"{INTERFACE}.Hold"
GATED = f"{INTERFACE}.Gated"
RECORD = f"{INTERFACE}.Record"

Connect = Callable[[RunningServer], RawStream]


def pings(count: int) -> bytes:
    return b"".join(call(PING, {"text": str(i)}) for i in range(count))


def texts(replies: list[dict[str, Any]]) -> list[str]:
    return [reply["parameters"]["text"] for reply in replies]


def see_answered(server: RunningServer, connect: Connect) -> None:
    """A call on another connection is made and answered."""
    other = connect(server)
    other.send(call(PING, {"text": "other"}))
    assert other.read_reply() == {"parameters": {"text": "other"}}


@pytest.mark.rule("C6")
@pytest.mark.parametrize("count", [2, 50])
def test_quick_calls_wait_for_a_slow_one(server: RunningServer, connect: Connect, count: int) -> None:
    stream = connect(server)
    stream.send(call(HOLD, {"text": "slow"}))
    server.state.wait_for_arrival()
    stream.send(pings(count))
    see_answered(server, connect)
    server.state.gate.set()
    assert texts(stream.read_replies(count + 1)) == ["slow", *map(str, range(count))]


@pytest.mark.rule("C6")
def test_quick_calls_in_the_same_write_wait_for_a_slow_one(server: RunningServer, connect: Connect) -> None:
    stream = connect(server)
    stream.send(pings(3) + call(HOLD, {"text": "slow"}) + pings(3))
    assert texts(stream.read_replies(3)) == ["0", "1", "2"]
    server.state.wait_for_arrival()
    see_answered(server, connect)
    server.state.gate.set()
    assert texts(stream.read_replies(4)) == ["slow", "0", "1", "2"]


@pytest.mark.rule("C6")
def test_slow_calls_run_one_after_the_other(server: RunningServer, connect: Connect) -> None:
    stream = connect(server)
    stream.send(b"".join(call(HOLD, {"text": str(i)}) for i in range(5)) + pings(1))
    server.state.wait_for_arrival()
    see_answered(server, connect)
    server.state.gate.set()
    assert texts(stream.read_replies(6)) == ["0", "1", "2", "3", "4", "0"]


@pytest.mark.rule("C6")
def test_errors_keep_their_place(stream: RawStream) -> None:
    stream.send(
        pings(1)
        + call("org.example.nothing.Here")
        + call(f"{INTERFACE}.Fail", {"reason": "r", "code": 1})
        + call(f"{INTERFACE}.Crash")
        + call(f"{INTERFACE}.Count", {"n": 2}, more=True)
        + pings(1)
    )
    replies = stream.read_replies(7)
    assert ["error" in reply for reply in replies] == [False, True, True, True, False, False, False]
    assert replies[1]["error"] == "org.varlink.service.InterfaceNotFound"
    assert replies[2]["error"] == f"{INTERFACE}.Failed"
    assert [reply["parameters"] for reply in replies[4:]] == [{"i": 0}, {"i": 1}, {"text": "0"}]


@pytest.mark.rule("C6")
def test_two_connections_each_keep_their_order(server: RunningServer, connect: Connect) -> None:
    streams = [connect(server) for _ in range(4)]
    for stream in streams:
        stream.send(call(HOLD, {"text": "slow"}) + pings(10))
    server.state.wait_for_arrival(len(streams))
    server.state.gate.set()
    for stream in streams:
        assert texts(stream.read_replies(11)) == ["slow", *map(str, range(10))]


@pytest.mark.rule("C7")
def test_calls_wait_for_the_end_of_a_stream(server: RunningServer, connect: Connect) -> None:
    stream = connect(server)
    stream.send(call(GATED, more=True))
    assert stream.read_reply() == {"parameters": {"i": 0}, "continues": True}
    server.state.wait_for_arrival()
    stream.send(pings(100))
    see_answered(server, connect)
    server.state.gate.set()
    last = stream.read_reply()
    assert last["parameters"] == {"i": 1}
    assert not last.get("continues")
    assert texts(stream.read_replies(100)) == [str(i) for i in range(100)]


@pytest.mark.rule("C7")
def test_streams_queue_behind_a_stream(stream: RawStream) -> None:
    stream.send(call(f"{INTERFACE}.Count", {"n": 5}, more=True) * 20 + pings(1))
    for _ in range(20):
        replies = stream.read_replies(5)
        assert [reply["parameters"]["i"] for reply in replies] == [0, 1, 2, 3, 4]
        assert [bool(reply.get("continues")) for reply in replies] == [True] * 4 + [False]
    assert texts(stream.read_replies(1)) == ["0"]


@pytest.mark.rule("C7")
@pytest.mark.parametrize("busy", [call(GATED, more=True), call(HOLD, {"text": "slow"})])
@pytest.mark.parametrize("text", ["x", "x" * 3000])
def test_a_flood_is_held_back_and_then_answered(
    server: RunningServer, connect: Connect, busy: bytes, text: str
) -> None:
    stream = connect(server)
    stream.send(busy)
    server.state.wait_for_arrival()
    one = call(PING, {"text": text})
    written = stream.flood(one, most=8 << 20)
    see_answered(server, connect)
    server.state.gate.set()
    held = 2 if b"Gated" in busy else 1
    stream.read_replies(held)
    for _ in range(written // len(one)):
        assert stream.read_reply() == {"parameters": {"text": text}}
    rest = one[written % len(one) :]
    if written % len(one):
        stream.send(rest)
        assert stream.read_reply() == {"parameters": {"text": text}}
    stream.send(call(PING, {"text": "usable"}))
    assert stream.read_reply() == {"parameters": {"text": "usable"}}


ONEWAY: dict[str, dict[str, Any]] = {
    "a method with a result": {"method": PING, "parameters": {"text": "unseen"}},
    "a method without a result": {"method": RECORD, "parameters": {"text": "seen"}},
    "an unknown interface": {"method": "org.example.nothing.Here"},
    "an unknown method": {"method": f"{INTERFACE}.Nothing"},
    "a method that is not written": {"method": f"{INTERFACE}.Unwritten"},
    "no dot in the method": {"method": "Ping"},
    "an empty method": {"method": ""},
    "a missing parameter": {"method": PING},
    "a parameter of the wrong type": {"method": PING, "parameters": {"text": 1}},
    "an unknown parameter": {"method": PING, "parameters": {"text": "x", "q": 1}},
    "a declared error": {"method": f"{INTERFACE}.Fail", "parameters": {"reason": "", "code": 0}},
    "an error of the service": {
        "method": f"{INTERFACE}.Refuse",
        "parameters": {"name": "PermissionDenied"},
    },
    "a crash": {"method": f"{INTERFACE}.Crash"},
    "a stream": {"method": f"{INTERFACE}.Count", "parameters": {"n": 3}},
    "a stream of one": {"method": f"{INTERFACE}.Count", "parameters": {"n": 1}},
    "a stream of none": {"method": f"{INTERFACE}.Silent"},
    "a stream that fails": {"method": f"{INTERFACE}.CountAndFail"},
    "a stream that crashes": {"method": f"{INTERFACE}.CountAndCrash"},
    "the info of the service": {"method": "org.varlink.service.GetInfo"},
    "the description of nothing": {
        "method": "org.varlink.service.GetInterfaceDescription",
        "parameters": {"interface": "org.example.nothing"},
    },
    "a large result": {"method": f"{INTERFACE}.Big", "parameters": {"size": 100_000}},
}


@pytest.mark.rule("C8")
@pytest.mark.parametrize("message", ONEWAY.values(), ids=ONEWAY.keys())
def test_oneway_gets_no_reply(stream: RawStream, message: dict[str, Any]) -> None:
    oneway = frame(message | {"oneway": True})
    stream.send(oneway + oneway + call(PING, {"text": "next"}))
    assert stream.read_reply() == {"parameters": {"text": "next"}}
    stream.send(oneway)
    stream.settle()
    stream.send(call(PING, {"text": "last"}))
    assert stream.read_reply() == {"parameters": {"text": "last"}}
    stream.end_writing()
    stream.expect_end()


@pytest.mark.rule("C8")
@pytest.mark.rule("F9")
def test_oneway_with_a_result_over_the_limit_gets_no_reply(
    start_server: Callable[..., RunningServer], connect: Connect
) -> None:
    stream = connect(start_server(limits=Limits(max_message_size=4096)))
    stream.send(call(f"{INTERFACE}.Big", {"size": 8192}, oneway=True) + call(PING, {"text": "next"}))
    assert stream.read_reply() == {"parameters": {"text": "next"}}


@pytest.mark.rule("C8")
@pytest.mark.parametrize("method", ["Record", "RecordStream", "RecordAndFail", "RecordAndCrash"])
def test_oneway_calls_are_made_in_order(stream: RawStream, state: State, method: str) -> None:
    names = [f"{i}" for i in range(20)]
    stream.send(
        b"".join(call(f"{INTERFACE}.{method}", {"text": name}, oneway=True) for name in names)
        + call(RECORD, {"text": "last"})
    )
    assert stream.read_reply() == {}
    assert state.recorded == [*names, "last"]


@pytest.mark.rule("C8")
@pytest.mark.rule("C6")
def test_a_slow_oneway_call_holds_later_ones_back(server: RunningServer, connect: Connect) -> None:
    stream = connect(server)
    stream.send(call(HOLD, {"text": "unseen"}, oneway=True) + call(RECORD, {"text": "after"}))
    server.state.wait_for_arrival()
    see_answered(server, connect)
    assert server.state.recorded == []
    server.state.gate.set()
    assert stream.read_reply() == {}
    assert server.state.recorded == ["after"]
