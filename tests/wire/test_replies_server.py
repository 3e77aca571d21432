"""R1, R3, R6, P7 and E1 to E3 at the server: what replies look like."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from .rawstream import PATIENCE, RawStream, call
from .sample import DESCRIPTION, INTERFACE, LEFT, RunningServer, State

PING = f"{INTERFACE}.Ping"
SERVICE = "org.varlink.service"

Connect = Callable[[RunningServer], RawStream]


PARAMETERS: dict[str, dict[str, Any]] = {"Count": {"n": 3}, "Ping": {"text": "x"}}


def usable(stream: RawStream) -> bool:
    stream.send(call(PING, {"text": "usable"}))
    return stream.read_reply() == {"parameters": {"text": "usable"}}


@pytest.mark.rule("R1")
def test_empty_parameters_are_left_out(stream: RawStream) -> None:
    stream.send(call(f"{INTERFACE}.Record", {"text": "seen"}))
    assert stream.read_frame() == b"{}"


@pytest.mark.rule("R1")
def test_empty_parameters_of_an_error_are_left_out(stream: RawStream) -> None:
    stream.send(call(f"{INTERFACE}.Refuse", {"name": "PermissionDenied"}))
    assert json.loads(stream.read_frame()) == {"error": f"{SERVICE}.PermissionDenied"}


@pytest.mark.rule("R1")
def test_replies_have_no_other_members(stream: RawStream) -> None:
    stream.send(
        call(PING, {"text": "x"})
        + call(f"{INTERFACE}.Count", {"n": 2}, more=True)
        + call(f"{INTERFACE}.Crash")
        + call(f"{SERVICE}.GetInfo")
    )
    for reply in stream.read_replies(5):
        assert set(reply) <= {"parameters", "continues", "error"}
        assert isinstance(reply.get("parameters", {}), dict)
        assert isinstance(reply.get("continues", False), bool)
        assert isinstance(reply.get("error", ""), str)


@pytest.mark.rule("R3")
def test_a_stream_continues_until_its_last_reply(stream: RawStream) -> None:
    stream.send(call(f"{INTERFACE}.Count", {"n": 4}, more=True))
    replies = stream.read_replies(4)
    assert [bool(reply.get("continues")) for reply in replies] == [True, True, True, False]


@pytest.mark.rule("R3")
@pytest.mark.parametrize("method", ["Count", "Gated", "CountAndFail", "CountAndCrash", "Ping"])
def test_nothing_continues_without_more(stream: RawStream, state: State, method: str) -> None:
    parameters = PARAMETERS.get(method, {})
    state.gate.set()
    stream.send(call(f"{INTERFACE}.{method}", parameters))
    assert "continues" not in stream.read_reply()
    assert usable(stream)


@pytest.mark.rule("R3")
def test_a_stream_that_fails_ends_in_an_error_without_continues(stream: RawStream) -> None:
    stream.send(call(f"{INTERFACE}.CountAndFail", more=True))
    assert stream.read_reply() == {"parameters": {"i": 0}, "continues": True}
    assert stream.read_reply() == {
        "error": f"{INTERFACE}.Failed",
        "parameters": {"reason": "in the stream", "code": 7},
    }
    assert usable(stream)


@pytest.mark.rule("R3")
@pytest.mark.parametrize("method", ["Silent", "SilentOptional"])
def test_a_stream_of_nothing_gets_one_empty_reply(stream: RawStream, method: str) -> None:
    stream.send(call(f"{INTERFACE}.{method}", more=True))
    reply = stream.read_reply()
    assert "error" not in reply
    assert not reply.get("continues")
    assert reply.get("parameters", {}) in ({}, {"i": None})
    assert usable(stream)


@pytest.mark.rule("R3")
def test_a_stream_of_nothing_that_owes_a_result_is_an_error(stream: RawStream) -> None:
    stream.send(call(f"{INTERFACE}.SilentRequired", more=True))
    reply = stream.read_reply()
    assert isinstance(reply["error"], str)
    assert "continues" not in reply
    assert usable(stream)


@pytest.mark.rule("R6")
@pytest.mark.parametrize("size", [1, 50_000])
def test_a_caller_that_leaves_closes_the_generator(stream: RawStream, state: State, size: int) -> None:
    stream.send(call(f"{INTERFACE}.Endless", {"size": size}, more=True))
    for i in range(1, 4):
        assert stream.read_reply()["parameters"]["i"] == i
    stream.close()
    assert state.endless_closed.wait(PATIENCE)
    assert isinstance(state.endless_end, LEFT)


@pytest.mark.rule("R6")
def test_a_caller_that_leaves_while_the_generator_waits(stream: RawStream, state: State) -> None:
    stream.send(call(f"{INTERFACE}.Gated", more=True))
    assert stream.read_reply()["parameters"] == {"i": 0}
    state.wait_for_arrival()
    stream.close()
    state.gate.set()
    assert state.gated_closed.wait(PATIENCE)


@pytest.mark.rule("P7")
@pytest.mark.parametrize(("method", "before"), [("Crash", 0), ("CountAndCrash", 1)])
def test_a_crash_is_an_error_that_tells_nothing(stream: RawStream, method: str, before: int) -> None:
    stream.send(call(f"{INTERFACE}.{method}", more=True))
    stream.read_replies(before)
    found = stream.read_frame()
    reply = json.loads(found)
    assert reply["error"].endswith(".InternalError")
    assert "continues" not in reply
    for word in (b"Traceback", b"secret", b"RuntimeError", b".py", b"line "):
        assert word not in found
    assert usable(stream)


@pytest.mark.rule("E1")
def test_an_unknown_interface(stream: RawStream) -> None:
    stream.send(call("org.example.nothing.Here", {"any": 1}))
    assert stream.read_reply() == {
        "error": f"{SERVICE}.InterfaceNotFound",
        "parameters": {"interface": "org.example.nothing"},
    }
    assert usable(stream)


@pytest.mark.rule("E1")
@pytest.mark.rule("E2")
@pytest.mark.parametrize("method", [f"{INTERFACE}.Nothing", f"{SERVICE}.Nothing"])
def test_an_unknown_method(stream: RawStream, method: str) -> None:
    stream.send(call(method, {"any": 1}))
    assert stream.read_reply() == {
        "error": f"{SERVICE}.MethodNotFound",
        "parameters": {"method": method},
    }
    assert usable(stream)


@pytest.mark.rule("E1")
@pytest.mark.rule("E2")
def test_a_declared_method_without_code(stream: RawStream) -> None:
    stream.send(call(f"{INTERFACE}.Unwritten"))
    assert stream.read_reply() == {
        "error": f"{SERVICE}.MethodNotImplemented",
        "parameters": {"method": f"{INTERFACE}.Unwritten"},
    }
    assert usable(stream)


@pytest.mark.rule("E1")
@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        ({}, "text"),
        ({"text": None}, "text"),
        ({"text": 1}, "text"),
        ({"text": "x", "unknown": 1}, "unknown"),
    ],
)
def test_an_invalid_parameter(stream: RawStream, parameters: dict[str, Any], name: str) -> None:
    stream.send(call(PING, parameters))
    assert stream.read_reply() == {
        "error": f"{SERVICE}.InvalidParameter",
        "parameters": {"parameter": name},
    }
    assert usable(stream)


@pytest.mark.rule("E1")
def test_an_invalid_parameter_deep_inside(stream: RawStream) -> None:
    items = [{"name": "a", "size": 1}, {"name": "b", "size": "2"}]
    stream.send(call(f"{INTERFACE}.Items", {"items": items}))
    assert stream.read_reply() == {
        "error": f"{SERVICE}.InvalidParameter",
        "parameters": {"parameter": "items[1].size"},
    }


@pytest.mark.rule("E1")
@pytest.mark.parametrize("name", ["PermissionDenied", "ExpectedMore", "ExpectedUpgrade"])
def test_errors_without_parameters(stream: RawStream, name: str) -> None:
    stream.send(call(f"{INTERFACE}.Refuse", {"name": name}))
    assert stream.read_reply() == {"error": f"{SERVICE}.{name}"}
    assert usable(stream)


@pytest.mark.rule("E2")
@pytest.mark.parametrize("method", ["", "Ping", "no-dot at all"])
def test_a_method_without_a_dot(stream: RawStream, method: str) -> None:
    stream.send(call(method))
    assert stream.read_reply() == {
        "error": f"{SERVICE}.MethodNotFound",
        "parameters": {"method": method},
    }
    assert usable(stream)


@pytest.mark.rule("E3")
def test_info_lists_the_service_itself(stream: RawStream) -> None:
    stream.send(call(f"{SERVICE}.GetInfo"))
    assert stream.read_reply() == {
        "parameters": {
            "vendor": "Example",
            "product": "Wire tests",
            "version": "1",
            "url": "https://example.com",
            "interfaces": [SERVICE, INTERFACE],
        }
    }


@pytest.mark.rule("E3")
def test_a_description_keeps_its_comments(stream: RawStream) -> None:
    stream.send(call(f"{SERVICE}.GetInterfaceDescription", {"interface": INTERFACE}))
    assert stream.read_reply() == {"parameters": {"description": DESCRIPTION}}


@pytest.mark.rule("E3")
def test_the_service_describes_itself(stream: RawStream) -> None:
    stream.send(call(f"{SERVICE}.GetInterfaceDescription", {"interface": SERVICE}))
    description = stream.read_reply()["parameters"]["description"]
    assert "\ninterface org.varlink.service\n" in "\n" + description
    for name in ("InterfaceNotFound", "MethodNotFound", "MethodNotImplemented", "InvalidParameter"):
        assert f"error {name}" in description


@pytest.mark.rule("E3")
@pytest.mark.rule("E1")
def test_the_description_of_an_unknown_interface(stream: RawStream) -> None:
    stream.send(call(f"{SERVICE}.GetInterfaceDescription", {"interface": "org.example.nothing"}))
    assert stream.read_reply() == {
        "error": f"{SERVICE}.InterfaceNotFound",
        "parameters": {"interface": "org.example.nothing"},
    }
