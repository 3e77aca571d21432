"""P1 to P7, R8 and R9 at the server: what a handler gets, and what it may give back."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable
from typing import Any

import pytest

import fastvarlink

from .rawstream import RawStream, call
from .sample import RunningServer
from .values import VALUES, Address, Broken, Color, User, make_values

INTERNAL = "fastvarlink.service.InternalError"
ZIP = {"zip": "1"}
SOMEONE = {"name": "a", "address": [ZIP], "color": "red"}


class Asked:
    """A connection to the service of values, and the object behind it."""

    def __init__(self, stream: RawStream, handler: Any) -> None:
        self.stream = stream
        self.handler = handler

    def ask(self, method: str, parameters: str) -> Any:
        """The reply to a call whose parameters are given in JSON."""
        self.stream.send(f'{{"method":"{VALUES}.{method}","parameters":{parameters}}}\0'.encode())
        return json.loads(self.stream.read_frame())

    def refused(self, method: str, parameters: str) -> str:
        """The parameter that is refused. The handler must not have been called."""
        before = self.handler.calls
        reply = self.ask(method, parameters)
        assert reply.pop("error") == "org.varlink.service.InvalidParameter", reply
        assert self.handler.calls == before
        (path,) = reply["parameters"].values()
        return str(path)

    def given(self, method: str, returned: Any, parameters: str) -> Any:
        """The reply when the handler returns this."""
        self.handler.returned = returned
        try:
            return self.ask(method, parameters)
        finally:
            self.handler.returned = None

    def lives(self) -> bool:
        return bool(self.ask("Bool", '{"flag":true}') == {"parameters": {"flag": True}})


@pytest.fixture(params=["dicts", "typed"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def asked(
    kind: str,
    start_server: Callable[..., RunningServer],
    connect: Callable[[RunningServer], RawStream],
) -> Asked:
    service, handler = make_values(kind)
    return Asked(connect(start_server(service=service)), handler)


def someone(**changed: Any) -> str:
    return json.dumps({"user": {key: v for key, v in (SOMEONE | changed).items() if v is not ...}})


@pytest.mark.rule("P1")
@pytest.mark.parametrize(
    ("method", "parameters", "path"),
    [
        ("Int", "{}", "n"),
        ("Int", '{"n":null}', "n"),
        ("Int", '{"n":"1"}', "n"),
        ("Int", '{"n":1,"m":1}', "m"),
        ("String", '{"text":1}', "text"),
        ("Bool", '{"flag":"true"}', "flag"),
        ("Maybe", '{"some":"x"}', "some"),
        ("Lists", '{"lists":{}}', "lists"),
        ("Lists", '{"lists":"abc"}', "lists"),
        ("Lists", '{"lists":[1,"x"]}', "lists[1]"),
        ("Choose", '{"choice":"c"}', "choice"),
        ("Choose", '{"choice":null}', "choice"),
        ("Sizes", '{"sizes":{"a":[1],"b":[1,2,null]}}', "sizes.b[2]"),
        ("Know", someone(name=...), "user.name"),
        ("Know", someone(name=None), "user.name"),
        ("Know", someone(color="blue"), "user.color"),
        ("Know", someone(age=3), "user.age"),
        ("Know", someone(address=[ZIP, ZIP, {"zip": 1}]), "user.address[2].zip"),
        ("Know", someone(address=[{}]), "user.address[0].zip"),
        ("Know", someone(by_name={"x": {"zip": "1", "more": 1}}), "user.by_name.x.more"),
        ("Know", someone(tags={"x": 1}), "user.tags.x"),
        ("Know", someone(tags=["x"]), "user.tags"),
        ("Know", someone(parent=SOMEONE | {"parent": {"name": "b"}}), "user.parent.parent.address"),
    ],
)
def test_what_does_not_fit_is_named(asked: Asked, method: str, parameters: str, path: str) -> None:
    assert asked.refused(method, parameters) == path
    assert asked.lives()


@pytest.mark.rule("P2")
@pytest.mark.parametrize("parameters", ["{}", '{"some":null}'])
def test_absent_and_null_are_the_same(asked: Asked, parameters: str) -> None:
    assert asked.ask("Maybe", parameters) == {}
    assert asked.ask("Maybe", '{"some":0}') == {"parameters": {"some": 0}}


@pytest.mark.rule("P2")
def test_empty_containers_are_values(asked: Asked) -> None:
    assert asked.ask("Lists", '{"lists":[]}') == {"parameters": {"lists": []}}
    assert asked.ask("Lists", '{"lists":null}') == {}
    empty = SOMEONE | {"address": [], "by_name": {}, "tags": {}}
    assert asked.ask("Know", json.dumps({"user": empty | {"parent": None}})) == {
        "parameters": {"user": empty}
    }


@pytest.mark.rule("P3")
@pytest.mark.parametrize("number", ["1.0", "1e2", "-0.0", "true", "false"])
def test_no_int(asked: Asked, number: str) -> None:
    assert asked.refused("Int", f'{{"n":{number}}}') == "n"


@pytest.mark.rule("P3")
def test_floats(asked: Asked) -> None:
    assert asked.ask("Float", '{"x":1}') == {"parameters": {"x": 1.0}}
    assert asked.ask("Float", '{"x":-1.5e3}') == {"parameters": {"x": -1500.0}}
    assert asked.refused("Float", '{"x":true}') == "x"
    assert asked.refused("Bool", '{"flag":1}') == "flag"


@pytest.mark.rule("P4")
@pytest.mark.parametrize("value", ["{}", '{"a":[null,{"b":1.5}],"":null}'])
def test_object(asked: Asked, value: str) -> None:
    expected = {"parameters": {"it": json.loads(value)}}
    assert asked.ask("Object", f'{{"it":{value}}}') == expected
    assert asked.ask("Anything", f'{{"it":{value}}}') == expected


@pytest.mark.rule("P4")
@pytest.mark.parametrize("value", ["[]", "1", '"x"', "false", "[null]"])
def test_any(asked: Asked, value: str) -> None:
    assert asked.refused("Object", f'{{"it":{value}}}') == "it"
    assert asked.ask("Anything", f'{{"it":{value}}}') == {"parameters": {"it": json.loads(value)}}


@pytest.mark.rule("P4")
def test_null_is_neither(asked: Asked) -> None:
    assert asked.refused("Object", '{"it":null}') == "it"
    assert asked.refused("Anything", '{"it":null}') == "it"


@pytest.mark.rule("P5")
def test_parameters_of_errors_are_checked(asked: Asked, kind: str, caplog: pytest.LogCaptureFixture) -> None:
    name = f"{VALUES}.Broken"

    def broken(at: Any, count: Any) -> Exception:
        if kind == "typed":
            return Broken(at=Address(**at) if isinstance(at, dict) else at, count=count)
        return fastvarlink.VarlinkError({"error": name, "parameters": {"at": at, "count": count}})

    asked.handler.raised = broken(ZIP, 3)
    assert asked.ask("Int", '{"n":1}') == {"error": name, "parameters": {"at": ZIP, "count": 3}}
    for at, count, path in [({"zip": 1}, 3, "at.zip"), (ZIP, None, "count"), ([], 3, "at")]:
        caplog.clear()
        asked.handler.raised = broken(at, count)
        reply = asked.ask("Int", '{"n":1}')
        assert reply == {"error": INTERNAL, "parameters": {"method": f"{VALUES}.Int"}}
        (record,) = caplog.records
        assert f"{path} " in record.getMessage()


@pytest.mark.rule("P6")
@pytest.mark.parametrize(
    ("method", "parameters", "returned", "path"),
    [
        ("Int", '{"n":1}', "1", "n"),
        ("Int", '{"n":1}', True, "n"),
        ("Float", '{"x":1}', "1", "x"),
        ("Choose", '{"choice":"a"}', "c", "choice"),
        ("Lists", "{}", [1, None], "lists[1]"),
        ("Sizes", '{"sizes":{}}', {"a": [1.5]}, "sizes.a[0]"),
        ("Know", someone(), {"name": "a", "address": [], "color": "blue"}, "user.color"),
        ("Know", someone(), {"name": "a", "address": []}, "user.color"),
        ("Know", someone(), User("a", [Address(1)], Color.red), "user"),  # type: ignore[arg-type]
    ],
)
def test_results_are_checked(
    asked: Asked,
    kind: str,
    method: str,
    parameters: str,
    returned: Any,
    path: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    if isinstance(returned, User) and kind == "typed":
        path = "user.address[0].zip"
    assert asked.given(method, returned, parameters) == {
        "error": INTERNAL,
        "parameters": {"method": f"{VALUES}.{method}"},
    }
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert f"{VALUES}.{method}" in record.getMessage()
    assert f"{path} " in record.getMessage()
    assert asked.lives()


@pytest.mark.rule("P6")
def test_the_check_of_results_can_be_switched_off(
    start_server: Callable[..., RunningServer], connect: Callable[[RunningServer], RawStream]
) -> None:
    service, handler = make_values("dicts", check_results=False)
    asked = Asked(connect(start_server(service=service)), handler)
    assert asked.given("Int", "1", '{"n":1}') == {"parameters": {"n": "1"}}
    # What JSON cannot carry is still not sent.
    assert asked.given("Float", math.nan, '{"x":1}')["error"] == INTERNAL
    assert asked.lives()


@pytest.mark.rule("P7")
@pytest.mark.parametrize(
    "failure", [RuntimeError("a secret"), KeyError("a secret"), RecursionError("a secret")]
)
def test_a_handler_that_breaks_gives_nothing_away(
    asked: Asked, failure: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    asked.handler.raised = failure
    asked.stream.send(call(f"{VALUES}.Int", {"n": 1}))
    frame = asked.stream.read_frame()
    assert b"secret" not in frame
    assert json.loads(frame) == {"error": INTERNAL, "parameters": {"method": f"{VALUES}.Int"}}
    (record,) = caplog.records
    assert record.exc_info is not None
    assert record.exc_info[1] is failure
    asked.handler.raised = None
    assert asked.lives()


UNSENDABLE: dict[str, tuple[Any, str]] = {
    "NaN": (math.nan, "it"),
    "Infinity": ([1, [math.inf]], "it[1][0]"),
    "a large int": ({"a": [2**64]}, "it.a[0]"),
    "a small int": (-(2**63) - 1, "it"),
    "a key that is no string": ({"a": {1: 2}}, "it.a"),
    "half a surrogate pair": ({"a": ["\ud800"]}, "it.a[0]"),
    "half a surrogate pair in a key": ({"\udfff": 1}, "it"),
    "an object that is no JSON": (object(), "it"),
}


@pytest.mark.rule("R8")
@pytest.mark.parametrize(("value", "path"), UNSENDABLE.values(), ids=UNSENDABLE)
def test_what_json_cannot_carry_is_not_sent(
    asked: Asked, value: Any, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    reply = asked.given("Anything", value, '{"it":1}')
    assert reply == {"error": INTERNAL, "parameters": {"method": f"{VALUES}.Anything"}}
    (record,) = caplog.records
    assert f" {path} " in record.getMessage()
    assert asked.lives()


@pytest.mark.rule("R8")
def test_declared_strings_are_whole(asked: Asked, caplog: pytest.LogCaptureFixture) -> None:
    assert asked.given("String", "a\udc80", '{"text":""}')["error"] == INTERNAL
    assert " text " in caplog.records[0].getMessage()
    assert asked.given("String", "a\U0001f600\0", '{"text":""}') == {"parameters": {"text": "a\U0001f600\0"}}


@pytest.mark.rule("R9")
@pytest.mark.parametrize("number", [0, -1, 2**53 + 1, 2**63 - 1, -(2**63), 2**63, 2**64 - 1])
def test_ints_arrive_exactly(asked: Asked, number: int) -> None:
    for method, name in (("Int", "n"), ("Anything", "it")):
        assert asked.ask(method, f'{{"{name}":{number}}}') == {"parameters": {name: number}}


@pytest.mark.rule("R9")
@pytest.mark.parametrize("number", [2**64, -(2**63) - 1, 10**30])
def test_larger_ints_are_refused(asked: Asked, number: int) -> None:
    assert asked.refused("Int", f'{{"n":{number}}}') == "n"
