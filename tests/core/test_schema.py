"""Declared types and the values that they take: what arrives, what is sent, and where a fault is."""

from __future__ import annotations

import json
import logging
import math
from types import SimpleNamespace
from typing import Any

import pytest

import fastvarlink
from fastvarlink.client.plans import plans_of
from fastvarlink.error import EncodingError, InvalidParameter

from .serving import make_service

INTERNAL = "fastvarlink.service.InternalError"
TYPES = """
type Address (zip: int, street: ?string)
type User (name: ?string, address: []Address, by_name: ?[string]Address, tags: ?[string]())
type Tree (value: int, left: ?Tree, children: ?[]Tree, named: ?[string]Tree)
type Color (red, green)
"""


def description(type_: str, takes: str | None = None) -> str:
    """An interface whose method returns the type, and takes it or another one."""
    return f"interface org.example.core\n{TYPES}\nmethod Pass(value: {takes or type_}) -> (value: {type_})\n"


class Passing:
    """Keeps what it was given; returns that, or what it was told to return."""

    given: Any
    result: Any

    def __init__(self) -> None:
        self.given = self.result = None

    def Pass(self, value: Any) -> dict[str, Any]:
        self.given = value
        return {"value": value} if self.result is None else self.result


def ask(handler: Passing, type_: str, parameters: str) -> Any:
    """The reply of the method whose parameter and result have the type, to parameters in JSON."""
    service = make_service(handler, description(type_))
    frame = f'{{"method":"org.example.core.Pass","parameters":{parameters}}}'
    (reply,) = service.handle(frame.encode())
    return json.loads(reply)


def invalid(path: str) -> dict[str, Any]:
    """The reply that refuses a parameter."""
    return {"error": "org.varlink.service.InvalidParameter", "parameters": {"parameter": path}}


def returned(type_: str, value: Any) -> Any:
    """The reply when a handler returns this value."""
    handler = Passing()
    handler.result = {"value": value}
    service = make_service(handler, description(type_, "?object"))
    (reply,) = service.handle(b'{"method":"org.example.core.Pass"}')
    return json.loads(reply)


def plan(type_: str) -> Any:
    """The client's side of the method."""
    return plans_of(fastvarlink.Interface.from_specification(description(type_))).call("Pass")


# Of each type: values it takes, as JSON, and values it refuses. Of the last, null is refused by all but ?.
CASES: dict[str, tuple[list[str], list[str]]] = {
    "bool": (["true", "false"], ["0", "1", '"true"', "1.0", "[]", "{}"]),
    "int": (
        ["0", "-1", "9223372036854775807", "-9223372036854775808", "18446744073709551615"],
        ["1.0", "1e2", "true", '"1"', "[]", "{}", "18446744073709551616", "-9223372036854775809"],
    ),
    "float": (["0", "1", "-1.5", "1e300", "18446744073709551616"], ["true", '"1"', "[]", "{}"]),
    "string": (['""', '"a"', '"\\u0000\\ud83d\\ude00"'], ["1", "true", "[]", '{"a":{}}']),
    "object": (["{}", '{"a":[1,null,{"b":true}]}'], ["[]", '"a"', "1", "true"]),
    "any": (["{}", "[]", '"a"', "1", "1.5", "false", "[null]"], []),
    "(one, two)": (['"one"', '"two"'], ['"three"', '"One"', '""', "1", "{}"]),
    "Color": (['"red"'], ['"blue"', "0"]),
    "[]int": (["[]", "[1,2]"], ["{}", "[1.5]", "[null]", '["1"]', "1", "[[]]"]),
    "[][]bool": (["[[]]", "[[true],[]]"], ["[true]", "[[1]]"]),
    "[string]int": (["{}", '{"a":1,"":2}'], ["[]", '{"a":null}', '{"a":"1"}', '"a"']),
    "[string]()": (["{}", '{"a":{},"b":{}}'], ["[]", '["a"]', '{"a":1}', '{"a":null}', '{"a":{"b":1}}']),
    "(a: int, b: ?string)": (
        ['{"a":1}', '{"a":1,"b":"x"}'],
        ["{}", '{"b":"x"}', '{"a":null}', '{"a":1,"c":1}', '{"a":1,"b":2}', "[]", "[1]"],
    ),
    "()": (["{}"], ['{"a":1}', "[]"]),
    "?int": (["1"], ["1.5", '""', "false"]),
    "?[]int": (["[]", "[1]"], ["[null]", "1"]),
    "[]?int": (["[]", "[1,null]"], ['["a"]']),
    "[string]?int": (['{"a":null,"b":1}'], ['{"a":""}']),
    "Tree": (
        ['{"value":1}', '{"value":1,"left":{"value":2,"children":[{"value":3}]},"named":{"a":{"value":4}}}'],
        ['{"value":1,"left":{}}', '{"value":1,"children":[{"value":1,"left":{"value":"x"}}]}'],
    ),
}
accepted = [(type_, value) for type_, (good, _) in CASES.items() for value in good]
refused = [(type_, value) for type_, (_, bad) in CASES.items() for value in bad]
refused += [(type_, "null") for type_ in CASES if not type_.startswith("?")]


@pytest.mark.parametrize(("type_", "value"), accepted)
def test_values_that_a_type_takes(type_: str, value: str) -> None:
    """Every value that a type declares has to come through, in both directions and on both sides."""
    parameters = f'{{"value":{value}}}'
    handler = Passing()
    assert ask(handler, type_, parameters) == {"parameters": json.loads(parameters)}
    received = plan(type_).result(json.loads(parameters), False)
    assert received == {"value": handler.given}
    assert json.loads(plan(type_).parameters((received["value"],), {})) == json.loads(parameters)


@pytest.mark.parametrize(("type_", "value"), refused)
def test_values_that_a_type_refuses(type_: str, value: str) -> None:
    """Nothing is coerced: 1.0 is no int, true is no number, and null only where it is declared."""
    handler = Passing()
    reply = ask(handler, type_, f'{{"value":{value}}}')
    assert reply["error"] == "org.varlink.service.InvalidParameter"
    assert reply["parameters"]["parameter"].startswith("value")
    assert handler.given is None


@pytest.mark.parametrize("parameters", ["{}", '{"value":null}'])
def test_absent_and_null_are_the_same(parameters: str) -> None:
    """A nullable parameter may be left out or be null; the handler and the reply know one form only."""
    handler = Passing()
    assert ask(handler, "?int", parameters) == {}
    assert handler.given is None
    assert ask(handler, "(a: ?int)", '{"value":{"a":null}}') == {"parameters": {"value": {}}}
    assert handler.given == {}


def test_what_handlers_get() -> None:
    """A set is a set, and what is declared as a float is one, however it was written."""
    handler = Passing()
    ask(handler, "[string]()", '{"value":{"a":{},"b":{}}}')
    assert handler.given == {"a", "b"}
    ask(handler, "float", '{"value":1}')
    assert isinstance(handler.given, float)
    handler = Passing()
    ask(handler, "[string][]float", '{"value":{"a":[1,2]}}')
    assert [type(number) for number in handler.given["a"]] == [float, float]


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ('{"address":[{"zip":1},{"zip":2},{"zip":"3"}]}', "value.address[2].zip"),
        ('{"address":[{"zip":1},{}]}', "value.address[1].zip"),
        ('{"address":[{"zip":1,"town":1}]}', "value.address[0].town"),
        ('{"address":[{"zip":1,"street":1}]}', "value.address[0].street"),
        ('{"address":[],"by_name":{"home":{"zip":null}}}', "value.by_name.home.zip"),
        ('{"address":[],"tags":{"a":{},"b":1}}', "value.tags.b"),
        ('{"address":[null]}', "value.address[0]"),
        ('{"address":[],"name":1}', "value.name"),
        ("{}", "value.address"),
        ("1", "value"),
    ],
)
def test_the_place_of_a_fault(value: str, path: str) -> None:
    """A fault inside a value was named by the parameter alone."""
    assert ask(Passing(), "User", f'{{"value":{value}}}') == invalid(path)


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ({"address": [{"zip": 1}, {"zip": 2}, {"zip": "3"}]}, "value.address[2].zip"),
        ({"address": [], "by_name": {"home": {"zip": None}}}, "value.by_name.home.zip"),
        ({"address": [], "tags": {"a": {}, "b": 1}}, "value.tags.b"),
        (1, "value"),
    ],
)
def test_the_place_of_a_fault_in_a_reply(value: Any, path: str) -> None:
    """As in a call: the program learns which value of the reply is not as declared."""
    with pytest.raises(InvalidParameter) as raised:
        plan("User").result({"value": value}, False)
    assert raised.value.parameters() == {"parameter": path}


def test_undeclared_and_missing_parameters() -> None:
    """A parameter that is not declared, or is missing, is named."""
    assert ask(Passing(), "int", '{"value":1,"other":2}') == invalid("other")
    assert ask(Passing(), "int", "{}") == invalid("value")
    # What a newer service sends beyond the declaration is dropped.
    assert plan("int").result({"value": 1, "other": 2}, False) == {"value": 1}
    assert plan("int").result({"value": 1}, True) == SimpleNamespace(value=1)


def test_deep_recursion_is_refused_not_a_crash() -> None:
    """The limit of recursion was not noticed when a value was sent: a deep one crashed the process."""
    deep: dict[str, Any] = {"value": 1}
    for _ in range(100_000):
        deep = {"value": 1, "left": deep}
    for type_ in ("Tree", "any"):
        with pytest.raises(EncodingError, match="levels deep"):
            plan(type_).parameters((deep,), {})
    shallow: dict[str, Any] = {"value": 1}
    for _ in range(200):
        shallow = {"value": 1, "left": shallow}
    for type_ in ("Tree", "any"):
        assert json.loads(plan(type_).parameters((shallow,), {})) == {"value": shallow}
    handler = Passing()
    handler.result = {"value": deep}
    assert ask(handler, "Tree", '{"value":{"value":1}}')["error"] == INTERNAL


@pytest.mark.parametrize("type_", ["int", "any", "[]int", "[string]any", "object"])
@pytest.mark.parametrize(
    ("number", "fits"),
    [
        (-(2**63), True),
        (2**63, True),
        (2**64 - 1, True),
        (-(2**63) - 1, False),
        (2**64, False),
        (10**400, False),
    ],
)
def test_ints_at_the_edges_of_64_bits(type_: str, number: int, fits: bool) -> None:
    """An int beyond 64 bits was sent as a float or made the encoder fail without saying where."""
    value: Any = {"[]int": [number], "[string]any": {"a": number}, "object": {"a": number}}.get(type_, number)
    place = {"[]int": "value[0]", "[string]any": "value.a", "object": "value.a"}.get(type_, "value")
    if fits:
        assert returned(type_, value) == {"parameters": {"value": value}}
        assert json.loads(plan(type_).parameters((value,), {})) == {"value": value}
        return
    assert returned(type_, value)["error"] == INTERNAL
    with pytest.raises(EncodingError, match="64 bits") as raised:
        plan(type_).parameters((value,), {})
    assert raised.value.path == place


class Key(str):
    """A string of another class is a string all the same."""


UNSENDABLE: list[tuple[str, Any, str]] = [
    ("float", math.nan, "value"),
    ("float", math.inf, "value"),
    ("float", 10**400, "value"),
    ("any", -math.inf, "value"),
    ("[]float", [1.0, math.nan], "value[1]"),
    ("object", {"a": [0, {"b": math.nan}]}, "value.a[1].b"),
    ("object", {1: 2}, "value"),
    ("object", {"a": {None: 1}}, "value.a"),
    ("[string]int", {1: 2}, "value"),
    ("any", [{True: 1}], "value[0]"),
    ("any", object(), "value"),
    ("object", {"a": b"bytes"}, "value.a"),
]


@pytest.mark.parametrize(("type_", "value", "path"), UNSENDABLE)
def test_what_json_cannot_carry(type_: str, value: Any, path: str, caplog: pytest.LogCaptureFixture) -> None:
    """NaN and Infinity went out as null, where the declaration promised a number."""
    with pytest.raises(EncodingError) as raised:
        plan(type_).parameters((value,), {})
    assert raised.value.path == path
    with caplog.at_level(logging.ERROR, "fastvarlink.service"):
        assert returned(type_, value) == {
            "error": INTERNAL,
            "parameters": {"method": "org.example.core.Pass"},
        }
    assert f"{path} " in caplog.text


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("string", "a\ud800"),
        ("any", ["\udfff"]),
        ("object", {"\ud800": 1}),
        ("[string]int", {"\ud800": 1}),
        ("[string]()", {"\ud800"}),
    ],
)
def test_lone_surrogates_are_not_sent(type_: str, value: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Half a surrogate pair is no Unicode: it is an error here, not bytes that the other side refuses."""
    with pytest.raises((TypeError, ValueError)):
        plan(type_).parameters((value,), {})
    with caplog.at_level(logging.CRITICAL, "fastvarlink.service"):
        assert returned(type_, value)["error"] == INTERNAL


@pytest.mark.parametrize(
    ("type_", "value", "sent"),
    [
        ("[string]()", {"a"}, {"a": {}}),
        ("[string]()", frozenset("a"), {"a": {}}),
        ("[]int", (1, 2), [1, 2]),
        ("float", 1, 1.0),
        ("[]float", [1, 2.5], [1.0, 2.5]),
        ("[string]float", {"a": 1}, {"a": 1.0}),
        ("string", Key("a"), "a"),
        ("(a: int, b: ?int)", {"a": 1, "b": None, "c": object()}, {"a": 1}),
        ("(a: int)", SimpleNamespace(a=1, b=2), {"a": 1}),
        (
            "Tree",
            {"value": 1, "children": [{"value": 2, "left": None, "x": 1}]},
            {"value": 1, "children": [{"value": 2}]},
        ),
        (
            "User",
            {"address": ({"zip": 1, "street": None},), "tags": {"x"}},
            {"address": [{"zip": 1}], "tags": {"x": {}}},
        ),
        ("object", {"a": {"x"}, "b": (1, SimpleNamespace(c=None))}, {"a": {"x": {}}, "b": [1, {"c": None}]}),
        ("any", [{"a"}, 2], [{"a": {}}, 2]),
    ],
)
def test_what_is_sent_and_that_the_programs_own_objects_stay(type_: str, value: Any, sent: Any) -> None:
    """Sending changed the objects of the program: sets became dicts, and members disappeared."""
    before = repr(value)
    assert returned(type_, value) == {"parameters": {"value": sent}}
    assert json.loads(plan(type_).parameters((value,), {})) == {"value": sent}
    assert repr(value) == before


@pytest.mark.parametrize(
    ("type_", "value", "path"),
    [
        ("int", True, "value"),
        ("int", 1.0, "value"),
        ("bool", 1, "value"),
        ("float", True, "value"),
        ("string", b"a", "value"),
        ("[]int", {1}, "value"),
        ("[]int", [1, None], "value[1]"),
        ("[string]int", [("a", 1)], "value"),
        ("[string]()", ["a"], "value"),
        ("[string]()", {1}, "value"),
        ("(one, two)", "three", "value"),
        ("object", [], "value"),
        ("User", {"address": [{"zip": 1}, {"zip": "2"}]}, "value.address[1].zip"),
    ],
)
def test_results_that_are_not_as_declared(
    type_: str, value: Any, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A result that does not fit its declaration is not sent; the log says where it does not fit."""
    with caplog.at_level(logging.ERROR, "fastvarlink.service"):
        assert returned(type_, value)["error"] == INTERNAL
    assert f"{path} must " in caplog.text
    with pytest.raises(InvalidParameter) as raised:
        plan(type_).parameters((value,), {})
    assert raised.value.parameters()["parameter"] == path


@pytest.mark.parametrize(("result", "reason"), [({}, "missing"), ({"value": None}, "null")])
def test_a_missing_result(result: Any, reason: str, caplog: pytest.LogCaptureFixture) -> None:
    """What is declared and not nullable has to be in the result."""
    handler = Passing()
    handler.result = result
    with caplog.at_level(logging.ERROR, "fastvarlink.service"):
        assert ask(handler, "int", '{"value":1}')["error"] == INTERNAL
    assert reason in caplog.text
