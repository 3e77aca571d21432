"""C1 to C5, C9 to C11 at the server: which calls are calls, and what their flags do."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest

from .rawstream import RawStream, call, frame
from .sample import INTERFACE, RunningServer

PING = f"{INTERFACE}.Ping"
FLAGS = ("oneway", "more", "upgrade")
GOOD: dict[str, Any] = {"method": PING, "parameters": {"text": "good"}}
GOOD_REPLY = {"parameters": {"text": "good"}}

#: Values of the wrong type for a member, without the types that some members may have.
ODD_VALUES: list[Any] = [0, 1, -1.5, "", "true", [], [1]]


def shown(value: Any) -> str:
    return json.dumps(value)


@pytest.mark.rule("C1")
@pytest.mark.parametrize("extra", [{}, {"parameters": None}, {"parameters": {}}], ids=shown)
@pytest.mark.parametrize("method", ["org.varlink.service.GetInfo", f"{INTERFACE}.Silent"])
def test_absent_null_and_empty_parameters_are_the_same(
    stream: RawStream, extra: dict[str, Any], method: str
) -> None:
    more = method.endswith("Silent")
    stream.send(frame({"method": method, "more": more}))
    expected = stream.read_reply()
    assert "error" not in expected
    stream.send(frame({"method": method, "more": more} | extra))
    assert stream.read_reply() == expected


@pytest.mark.rule("C1")
@pytest.mark.parametrize("extra", [{}, {"parameters": None}, {"parameters": {}}], ids=shown)
def test_absent_null_and_empty_parameters_lack_the_same(stream: RawStream, extra: dict[str, Any]) -> None:
    stream.send(frame({"method": PING} | extra))
    assert stream.read_reply() == {
        "error": "org.varlink.service.InvalidParameter",
        "parameters": {"parameter": "text"},
    }


@pytest.mark.rule("C1")
@pytest.mark.parametrize("order", list(itertools.permutations(["method", "parameters", "more"])))
def test_members_come_in_any_order(stream: RawStream, order: tuple[str, ...]) -> None:
    message = GOOD | {"more": False}
    stream.send(frame({name: message[name] for name in order}))
    assert stream.read_reply() == GOOD_REPLY


@pytest.mark.rule("C1")
@pytest.mark.parametrize("flag", FLAGS)
def test_a_false_flag_is_no_flag(stream: RawStream, flag: str) -> None:
    stream.send(frame(GOOD | {flag: False}))
    assert stream.read_reply() == GOOD_REPLY


@pytest.mark.rule("C2")
@pytest.mark.parametrize("top", [[], [GOOD], "text", "", 1, 0, None, True, False], ids=shown)
def test_a_message_that_is_no_object_closes(stream: RawStream, top: Any) -> None:
    stream.send(frame(top))
    stream.expect_end()


@pytest.mark.rule("C2")
@pytest.mark.parametrize("members", [{}, {"parameters": {}}, {"more": True}], ids=shown)
def test_a_missing_method_closes(stream: RawStream, members: dict[str, Any]) -> None:
    stream.send(frame(members))
    stream.expect_end()


@pytest.mark.rule("C2")
@pytest.mark.parametrize("method", [None, True, 0, 1.5, [], [PING], {}, {"a": PING}], ids=shown)
def test_a_method_that_is_no_string_closes(stream: RawStream, method: Any) -> None:
    stream.send(frame(GOOD | {"method": method}))
    stream.expect_end()


@pytest.mark.rule("C2")
@pytest.mark.parametrize("parameters", [*ODD_VALUES, True, False], ids=shown)
def test_parameters_that_are_no_object_close(stream: RawStream, parameters: Any) -> None:
    stream.send(frame(GOOD | {"parameters": parameters}))
    stream.expect_end()


@pytest.mark.rule("C2")
@pytest.mark.parametrize("value", [*ODD_VALUES, None, {}], ids=shown)
@pytest.mark.parametrize("flag", FLAGS)
def test_a_flag_that_is_no_boolean_closes(stream: RawStream, flag: str, value: Any) -> None:
    stream.send(frame(GOOD | {flag: value}))
    stream.expect_end()


@pytest.mark.rule("C3")
@pytest.mark.parametrize("flags", [*itertools.combinations(FLAGS, 2), FLAGS], ids="+".join)
def test_two_flags_at_once_close(stream: RawStream, flags: tuple[str, ...]) -> None:
    stream.send(frame(GOOD | dict.fromkeys(flags, True)))
    stream.expect_end()


@pytest.mark.rule("C3")
@pytest.mark.parametrize("chosen", FLAGS)
def test_one_flag_beside_false_ones_is_fine(stream: RawStream, chosen: str) -> None:
    stream.send(frame(GOOD | {flag: flag == chosen for flag in FLAGS}))
    if chosen != "oneway":
        assert stream.read_reply() == GOOD_REPLY
    stream.send(call(PING, {"text": "next"}))
    assert stream.read_reply() == {"parameters": {"text": "next"}}


@pytest.mark.rule("C4")
@pytest.mark.parametrize("value", [None, 1, {}, "x", True], ids=shown)
@pytest.mark.parametrize("name", ["unknown", "", "Method", "method ", "continues", "error", "é"])
def test_an_unknown_member_without_a_dot_closes(stream: RawStream, name: str, value: Any) -> None:
    stream.send(frame(GOOD | {name: value}))
    stream.expect_end()


@pytest.mark.rule("C4")
@pytest.mark.parametrize("place", ["first", "last"])
@pytest.mark.parametrize(
    "value", [None, 1, -0.5, 'a"b\\}', True, [], {}, [{"method": 1}], {"a": [{}]}], ids=shown
)
@pytest.mark.parametrize("name", ["com.example.trace", ".", "a.", "é.ü"])
def test_a_member_with_a_dot_is_ignored(stream: RawStream, name: str, value: Any, place: str) -> None:
    stream.send(frame({name: value} | GOOD if place == "first" else GOOD | {name: value}))
    assert stream.read_reply() == GOOD_REPLY


@pytest.mark.rule("C4")
def test_a_dot_that_is_escaped_is_a_dot(stream: RawStream) -> None:
    stream.send(rb'{"com\u002eexample":1,' + frame(GOOD)[1:])
    assert stream.read_reply() == GOOD_REPLY


@pytest.mark.rule("C5")
@pytest.mark.parametrize(
    "double",
    [
        b'"method":"org.example.wire.Ping"',
        rb'"\u006dethod":"org.example.wire.Ping"',
        b'"method":1',
        b'"parameters":{"text":"good"}',
        b'"parameters":null',
        rb'"parameter\u0073":{}',
        b'"more":false,"more":false',
        b'"oneway":false,"more":false,"oneway":false',
        b'"upgrade":true,"upgrade":false',
        b'"com.example.a":1,"com.example.a":1',
        rb'"com.example.a":1,"com.example\u002ea":{}',
        '"ex.é":1,"b.c":2,"ex.é":1'.encode(),
    ],
)
@pytest.mark.parametrize("place", ["first", "last"])
def test_a_member_given_twice_closes(stream: RawStream, double: bytes, place: str) -> None:
    good = frame(GOOD)[1:-2]
    body = double + b"," + good if place == "first" else good + b"," + double
    stream.send(b"{" + body + b"}\0")
    stream.expect_end()


@pytest.mark.rule("C5")
def test_the_same_name_at_different_depths_is_fine(stream: RawStream) -> None:
    stream.send(frame(GOOD | {"a.b": {"method": 1, "a.b": 2, "parameters": {"method": 3}}}))
    assert stream.read_reply() == GOOD_REPLY


@pytest.mark.rule("C2")
@pytest.mark.rule("C4")
def test_a_bad_call_leaves_others_alone(
    server: RunningServer, connect: Callable[[RunningServer], RawStream]
) -> None:
    other, bad = connect(server), connect(server)
    bad.send(frame({"method": None}))
    bad.expect_end()
    other.send(frame(GOOD))
    assert other.read_reply() == GOOD_REPLY


@pytest.mark.rule("C9")
@pytest.mark.parametrize("count", [1, 3])
def test_more_on_a_method_that_answers_once(stream: RawStream, count: int) -> None:
    stream.send(frame(GOOD | {"more": True}) * count + call(PING, {"text": "next"}))
    replies = stream.read_replies(count + 1)
    assert replies == [GOOD_REPLY] * count + [{"parameters": {"text": "next"}}]


@pytest.mark.rule("C9")
def test_more_on_a_call_that_fails(stream: RawStream) -> None:
    stream.send(call(f"{INTERFACE}.Fail", {"reason": "r", "code": 1}, more=True))
    reply = stream.read_reply()
    assert reply == {
        "error": f"{INTERFACE}.Failed",
        "parameters": {"reason": "r", "code": 1},
    }


@pytest.mark.rule("C10")
def test_a_stream_without_more_expects_more(stream: RawStream) -> None:
    stream.send(call(f"{INTERFACE}.Count", {"n": 3}) + call(PING, {"text": "next"}))
    assert stream.read_reply() == {"error": "org.varlink.service.ExpectedMore"}
    assert stream.read_reply() == {"parameters": {"text": "next"}}


@pytest.mark.rule("C10")
def test_a_stream_of_one_reply_needs_no_more(stream: RawStream) -> None:
    stream.send(call(f"{INTERFACE}.Count", {"n": 1}) + call(PING, {"text": "next"}))
    assert stream.read_reply() == {"parameters": {"i": 0}}
    assert stream.read_reply() == {"parameters": {"text": "next"}}


@pytest.mark.rule("C11")
def test_upgrade_on_an_ordinary_method(stream: RawStream) -> None:
    stream.send(frame(GOOD | {"upgrade": True}) + call(PING, {"text": "next"}))
    assert stream.read_reply() == GOOD_REPLY
    assert stream.read_reply() == {"parameters": {"text": "next"}}
