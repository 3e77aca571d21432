"""F1 to F6 at the server: what is a frame, and what closes the connection."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from .eventually import eventually
from .malformed import BAD_SURROUNDINGS, BAD_VALUES, EMPTY, surrounded
from .rawstream import RawStream, call
from .sample import INTERFACE, RunningServer, State

PING = f"{INTERFACE}.Ping"
GOOD = call(PING, {"text": "good"})[:-1]


def bodies(cases: dict[str, bytes]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("body", cases.values(), ids=cases.keys())


@pytest.mark.rule("F1")
def test_one_call_gets_one_reply(stream: RawStream) -> None:
    stream.send(call(PING, {"text": "grüße 😀"}))
    assert stream.read_reply() == {"parameters": {"text": "grüße 😀"}}


@pytest.mark.rule("F1")
def test_many_calls_in_one_write(stream: RawStream) -> None:
    stream.send(b"".join(call(PING, {"text": str(i)}) for i in range(60)))
    assert [r["parameters"]["text"] for r in stream.read_replies(60)] == [str(i) for i in range(60)]


@pytest.mark.rule("F1")
def test_every_split_of_two_calls(stream: RawStream) -> None:
    data = call(PING, {"text": "ä"}) + call(PING, {"text": "€"})
    for cut in range(1, len(data)):
        stream.send(data[:cut])
        stream.settle()
        stream.send(data[cut:])
        assert [r["parameters"]["text"] for r in stream.read_replies(2)] == ["ä", "€"]


@pytest.mark.rule("F1")
def test_an_escaped_nul_is_not_the_end(stream: RawStream) -> None:
    stream.send(call(PING, {"text": "a\0b"}))
    assert stream.read_reply() == {"parameters": {"text": "a\0b"}}


@pytest.mark.rule("F1")
@pytest.mark.rule("C1")
def test_escapes_in_names_and_in_the_method(stream: RawStream) -> None:
    stream.send(
        rb'{"\u006dethod":"org.example.wire.\u0050ing","parameters":{"t\u0065xt":"\ud83d\ude00"}}'
        b"\0"
    )
    assert stream.read_reply() == {"parameters": {"text": "😀"}}


@pytest.mark.rule("F1")
@pytest.mark.parametrize("address", ["tcp:127.0.0.1:0"])
def test_a_call_over_tcp(
    start_server: Callable[..., RunningServer],
    connect: Callable[[RunningServer], RawStream],
    address: str,
) -> None:
    stream = connect(start_server(address=address))
    stream.send(call(PING, {"text": "one"}) + call(PING, {"text": "two"}))
    assert [r["parameters"]["text"] for r in stream.read_replies(2)] == ["one", "two"]


@pytest.mark.rule("F2")
@pytest.mark.parametrize("space", [b" ", b"\n", b"\r\n", b"\t", b" \r\n\t" * 50])
def test_white_space_around_a_call(stream: RawStream, space: bytes) -> None:
    stream.send(space + GOOD + space + b"\0" + GOOD + space + b"\0" + space + GOOD + b"\0")
    assert stream.read_replies(3) == [{"parameters": {"text": "good"}}] * 3


@pytest.mark.rule("F2")
def test_white_space_inside_a_call(stream: RawStream) -> None:
    stream.send(json.dumps(json.loads(GOOD), indent="\t").replace("\n", "\r\n").encode() + b"\0")
    assert stream.read_reply() == {"parameters": {"text": "good"}}


@pytest.mark.rule("F2")
def test_no_white_space_is_emitted(stream: RawStream) -> None:
    stream.send(b" " + GOOD + b"\n\0")
    assert stream.read_frame() == b'{"parameters":{"text":"good"}}'
    stream.send(call("org.example.Nothing.Here", {}))
    found = stream.read_frame()
    assert b" " not in found
    assert b"\n" not in found


@pytest.mark.rule("F3")
@bodies(EMPTY)
def test_an_empty_frame_closes(stream: RawStream, body: bytes) -> None:
    stream.send(body + b"\0")
    stream.expect_end()


@pytest.mark.rule("F3")
@bodies(EMPTY)
def test_an_empty_frame_after_a_call_closes(stream: RawStream, body: bytes) -> None:
    stream.send(GOOD + b"\0" + body + b"\0" + GOOD + b"\0")
    assert stream.read_reply() == {"parameters": {"text": "good"}}
    stream.expect_end()


@pytest.mark.rule("F3")
@pytest.mark.rule("F4")
@bodies(BAD_SURROUNDINGS)
def test_something_beside_the_object_closes(stream: RawStream, body: bytes) -> None:
    stream.send(surrounded(body, GOOD) + b"\0")
    stream.expect_end()


@pytest.mark.rule("F4")
@bodies(BAD_VALUES)
def test_bad_json_in_a_parameter_closes(stream: RawStream, body: bytes) -> None:
    stream.send(b'{"method":"org.example.wire.Ping","parameters":{"text":' + body + b"}}\0")
    stream.expect_end()


@pytest.mark.rule("F4")
@bodies(BAD_VALUES)
def test_bad_json_closes_also_where_the_method_is_unknown(stream: RawStream, body: bytes) -> None:
    stream.send(b'{"parameters":{"q":' + body + b'},"method":"org.example.nothing.Here"}\0')
    stream.expect_end()


@pytest.mark.rule("F4")
@bodies(BAD_VALUES)
def test_bad_json_closes_also_in_an_ignored_member(stream: RawStream, body: bytes) -> None:
    stream.send(GOOD[:-1] + b',"com.example.extension":' + body + b"}\0")
    stream.expect_end()


@pytest.mark.rule("F4")
@bodies({name: body for name, body in BAD_VALUES.items() if body.startswith(b'"')})
def test_bad_json_closes_also_in_the_name_of_a_member(stream: RawStream, body: bytes) -> None:
    stream.send(b'{"method":"org.example.wire.Ping",' + body + b":1}\0")
    stream.expect_end()


@pytest.mark.rule("F4")
def test_a_call_cut_short_by_nul_closes(
    server: RunningServer, connect: Callable[[RunningServer], RawStream]
) -> None:
    for length in range(1, len(GOOD)):
        stream = connect(server)
        stream.send(GOOD[:length] + b"\0")
        stream.expect_end()


@pytest.mark.rule("F5")
@pytest.mark.parametrize("calls", [1, 3, 20])
def test_calls_before_garbage_are_answered(stream: RawStream, calls: int) -> None:
    stream.send((GOOD + b"\0") * calls + b"garbage\0")
    assert stream.read_replies(calls) == [{"parameters": {"text": "good"}}] * calls
    stream.expect_end()


@pytest.mark.rule("F5")
def test_calls_before_garbage_are_answered_over_tcp(
    start_server: Callable[..., RunningServer], connect: Callable[[RunningServer], RawStream]
) -> None:
    stream = connect(start_server(address="tcp:127.0.0.1:0"))
    stream.send(GOOD + b"\0garbage\0")
    assert stream.read_reply() == {"parameters": {"text": "good"}}
    stream.expect_end()


@pytest.mark.rule("F5")
def test_a_held_call_before_garbage_is_answered(stream: RawStream, state: State) -> None:
    stream.send(call(f"{INTERFACE}.Hold", {"text": "held"}) + b"garbage\0")
    state.wait_for_arrival()
    state.gate.set()
    assert stream.read_reply() == {"parameters": {"text": "held"}}
    stream.expect_end()


@pytest.mark.rule("F5")
def test_a_stream_before_garbage_is_delivered(stream: RawStream) -> None:
    stream.send(call(f"{INTERFACE}.Count", {"n": 30}, more=True) + b"garbage\0")
    replies = stream.read_replies(30)
    assert [r["parameters"]["i"] for r in replies] == list(range(30))
    assert not replies[-1].get("continues")
    stream.expect_end()


@pytest.mark.rule("F5")
def test_nothing_after_garbage_is_called(stream: RawStream, state: State) -> None:
    record = f"{INTERFACE}.Record"
    stream.send(
        call(record, {"text": "before"}, oneway=True)
        + b"garbage\0"
        + call(record, {"text": "after"}, oneway=True)
    )
    stream.expect_end()
    eventually(lambda: state.recorded, "the call before the garbage has been made")
    assert state.recorded == ["before"]


@pytest.mark.rule("F6")
def test_a_large_frame_in_small_pieces_is_answered(stream: RawStream) -> None:
    text = "0123456789abcdef" * (2 << 16)
    size = 4096 if stream.pieces == "whole" else 16
    stream.send_in(size, call(PING, {"text": text}))
    assert stream.read_reply() == {"parameters": {"text": text}}


@pytest.mark.rule("F6")
def test_a_large_frame_byte_by_byte_is_answered(stream: RawStream) -> None:
    text = "0123456789abcdef" * (1 << 14)
    stream.send(call(PING, {"text": text}))
    assert stream.read_reply() == {"parameters": {"text": text}}
