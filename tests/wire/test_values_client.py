"""P1 to P5, R8 and R9 at the client: what it sends, and what it takes for a result."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import fastvarlink
from fastvarlink.error import EncodingError, InvalidParameter, VarlinkError

from .rawstream import RawStream, frame
from .scripted import Script, ScriptedPeer, answers
from .values import DESCRIPTION, VALUES

SOMEONE = {"name": "a", "address": [{"zip": "1"}], "color": "red"}


@pytest.fixture
def open_at(peer: ScriptedPeer, make_client: Callable[..., Any]) -> Iterator[Callable[[Script], Any]]:
    """Start the peer with a script, and open the interface of values there."""
    opened: list[Any] = []

    def start(script: Script) -> Any:
        peer.start(script)
        client = make_client(peer.address)
        client.add_interface(fastvarlink.Interface.from_specification(DESCRIPTION))
        opened.append(client.open(VALUES))
        return opened[-1]

    yield start
    for handler in opened:
        handler.close()
    peer.finish()


UNSENDABLE: dict[str, tuple[Any, str]] = {
    "NaN": (math.nan, "it"),
    "Infinity": ({"a": [-math.inf]}, "it.a[0]"),
    "a large int": ([[2**64]], "it[0][0]"),
    "a small int": (-(2**63) - 1, "it"),
    "a key that is no string": ({"a": {None: 1}}, "it.a"),
    "half a surrogate pair": ({"a": "\udfff"}, "it.a"),
    "an object that is no JSON": ({"a": object()}, "it.a"),
}


@pytest.mark.rule("R8")
@pytest.mark.parametrize(("value", "path"), UNSENDABLE.values(), ids=UNSENDABLE)
def test_what_json_cannot_carry_is_not_sent(open_at: Callable[[Script], Any], value: Any, path: str) -> None:
    # The peer sees the second call only: nothing of the first has been written.
    handler = open_at(answers(frame({"parameters": {"it": 1}})))
    with pytest.raises(EncodingError) as caught:
        handler.Anything(it=value)
    assert caught.value.path == path
    assert isinstance(caught.value, TypeError)
    assert isinstance(caught.value, ValueError)
    assert handler.Anything(it=1) == {"it": 1}


@pytest.mark.rule("R8")
def test_declared_numbers_and_strings(open_at: Callable[[Script], Any]) -> None:
    handler = open_at(answers())
    with pytest.raises(EncodingError, match=r"^x "):
        handler.Float(x=math.nan)
    with pytest.raises(EncodingError, match=r"^n "):
        handler.Int(n=2**64)
    with pytest.raises(EncodingError, match=r"^text "):
        handler.String(text="\ud800")


@pytest.mark.rule("R9")
@pytest.mark.parametrize("number", [0, -1, 2**53 + 1, 2**63 - 1, -(2**63), 2**63, 2**64 - 1])
def test_ints_go_and_come_exactly(open_at: Callable[[Script], Any], number: int) -> None:
    def script(stream: RawStream) -> None:
        assert f'"n":{number}}}' in stream.read_frame().decode()
        stream.send(f'{{"parameters":{{"n":{number}}}}}\0'.encode())
        stream.expect_end()

    result = open_at(script).Int(n=number)["n"]
    assert type(result) is int
    assert result == number


@pytest.mark.rule("R9")
@pytest.mark.parametrize("number", [2**64, -(2**63) - 1, 10**30])
def test_a_larger_int_is_no_result(open_at: Callable[[Script], Any], number: int) -> None:
    handler = open_at(answers(f'{{"parameters":{{"n":{number}}}}}\0'.encode()))
    with pytest.raises(InvalidParameter) as caught:
        handler.Int(n=1)
    assert caught.value.parameters() == {"parameter": "n"}


@pytest.mark.rule("P1")
@pytest.mark.rule("P3")
@pytest.mark.rule("P5")
@pytest.mark.parametrize(
    ("method", "arguments", "reply", "path"),
    [
        ("Int", {"n": 1}, {"n": 1.0}, "n"),
        ("Int", {"n": 1}, {"n": True}, "n"),
        ("Int", {"n": 1}, {"n": None}, "n"),
        ("Float", {"x": 1}, {"x": True}, "x"),
        ("Bool", {"flag": True}, {"flag": 1}, "flag"),
        ("Choose", {"choice": "a"}, {"choice": "c"}, "choice"),
        ("Sizes", {"sizes": {}}, {"sizes": {"a": [1, "x"]}}, "sizes.a[1]"),
        ("Know", {"user": SOMEONE}, {"user": SOMEONE | {"address": [{"zip": 1}]}}, "user.address[0].zip"),
    ],
)
def test_a_result_of_another_type_is_refused(
    open_at: Callable[[Script], Any], method: str, arguments: Any, reply: Any, path: str
) -> None:
    handler = open_at(answers(frame({"parameters": reply}), frame({"parameters": {"it": "still here"}})))
    with pytest.raises(InvalidParameter) as caught:
        getattr(handler, method)(**arguments)
    assert caught.value.parameters() == {"parameter": path}
    # The reply has been taken off the connection all the same.
    assert handler.Anything(it=1) == {"it": "still here"}


@pytest.mark.rule("P1")
@pytest.mark.parametrize(
    ("method", "arguments", "path"),
    [
        ("Int", {"n": "1"}, "n"),
        ("Choose", {"choice": "c"}, "choice"),
        ("Know", {"user": SOMEONE | {"color": "blue"}}, "user.color"),
        ("Lists", {"lists": [1, None]}, "lists[1]"),
    ],
)
def test_a_parameter_of_another_type_is_not_sent(
    open_at: Callable[[Script], Any], method: str, arguments: Any, path: str
) -> None:
    handler = open_at(answers())
    with pytest.raises(InvalidParameter) as caught:
        getattr(handler, method)(**arguments)
    assert caught.value.parameters() == {"parameter": path}


@pytest.mark.rule("P2")
@pytest.mark.parametrize("reply", ["{}", '{"some":null}'])
def test_an_absent_result_and_null_are_the_same(open_at: Callable[[Script], Any], reply: str) -> None:
    handler = open_at(answers(f'{{"parameters":{reply}}}\0'.encode()))
    assert handler.Maybe() == {}


@pytest.mark.rule("P2")
def test_none_is_not_sent_and_empty_containers_are(open_at: Callable[[Script], Any]) -> None:
    seen: list[Any] = []

    def script(stream: RawStream) -> None:
        for _ in range(2):
            seen.append(json.loads(stream.read_frame()).get("parameters", {}))
            stream.send(b"{}\0")
        stream.expect_end()

    handler = open_at(script)
    handler.Lists(lists=None)
    handler.Lists(lists=[])
    assert seen == [{}, {"lists": []}]


@pytest.mark.rule("P4")
@pytest.mark.parametrize("value", [{}, {"a": [None, {"b": 1.5}]}])
def test_object_and_any(open_at: Callable[[Script], Any], value: Any) -> None:
    handler = open_at(
        answers(*[frame({"parameters": {"it": value}})] * 2, frame({"parameters": {"it": [1]}}))
    )
    assert handler.Object(it=value) == {"it": value}
    assert handler.Anything(it=value) == {"it": value}
    with pytest.raises(InvalidParameter):
        handler.Object(it={})


@pytest.mark.rule("P5")
@pytest.mark.rule("P7")
def test_parameters_of_an_error_arrive(open_at: Callable[[Script], Any]) -> None:
    declared = frame({"error": f"{VALUES}.Broken", "parameters": {"at": {"zip": "1"}, "count": 2}})
    internal = frame({"error": "fastvarlink.service.InternalError", "parameters": {"method": "a.b.C"}})
    handler = open_at(answers(declared, internal))
    with pytest.raises(handler.Broken) as caught:
        handler.Int(n=1)
    assert (caught.value.at, caught.value.count) == ({"zip": "1"}, 2)
    with pytest.raises(VarlinkError) as other:
        handler.Int(n=1)
    assert other.value.error() == "fastvarlink.service.InternalError"
