"""A Service without a server: handle(), the registry of interfaces, and encoders."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import fastvarlink

from .sample import DESCRIPTION, INTERFACE, State, make_service


def ask(service: fastvarlink.Service, method: str, **message: Any) -> list[Any]:
    """The decoded replies to a call."""
    call = json.dumps({"method": method, **message}).encode()
    return [json.loads(reply) for reply in service.handle(call) if reply is not None]


@pytest.mark.parametrize("end", [b"", b"\0"])
def test_a_call_with_and_without_its_nul(service: fastvarlink.Service, end: bytes) -> None:
    replies = list(service.handle(b'{"method":"org.varlink.service.GetInfo"}' + end))
    assert len(replies) == 1
    assert isinstance(replies[0], bytes)
    assert not replies[0].endswith(b"\0")
    assert json.loads(replies[0])["parameters"]["interfaces"] == ["org.varlink.service", INTERFACE]


def test_no_message_is_no_call(service: fastvarlink.Service) -> None:
    assert list(service.handle(b"")) == []


def test_the_message_may_be_of_any_bytes_type(service: fastvarlink.Service) -> None:
    call = b'{"method":"org.example.dropin.Thread"}'
    for message in (bytearray(call), memoryview(call)):
        assert len(list(service.handle(message))) == 1  # type: ignore[arg-type]


def test_server_and_request_are_handed_on(service: fastvarlink.Service) -> None:
    seen = []

    class Handler:
        def Thread(self, _server: Any, _request: Any) -> dict[str, Any]:
            seen.append((_server, _request))
            return {"name": "", "pid": 1}

    service.interfaces_handlers[INTERFACE] = Handler()
    call = b'{"method":"org.example.dropin.Thread"}'
    list(service.handle(call))
    list(service.handle(call, "server", "request"))
    list(service.handle(call, _server="server", _request="request"))
    assert seen == [(None, None), ("server", "request"), ("server", "request")]


def test_replies_come_one_at_a_time(service: fastvarlink.Service) -> None:
    replies = service.handle(b'{"method":"org.example.dropin.Count","more":true,"parameters":{"to":2}}')
    first = json.loads(next(replies))
    assert (first["continues"], first["parameters"]) == (True, {"number": 1})
    last = json.loads(next(replies))
    assert not last.get("continues", False)
    assert last["parameters"] == {"number": 2}
    assert next(replies, "end") == "end"


@pytest.mark.parametrize("reason", [ConnectionError("gone"), BrokenPipeError("gone")])
def test_a_failed_write_is_thrown_into_the_handler(
    service: fastvarlink.Service, state: State, reason: Exception
) -> None:
    replies = service.handle(b'{"method":"org.example.dropin.Forever","more":true}')
    next(replies)
    with pytest.raises(StopIteration):
        replies.throw(reason)  # type: ignore[attr-defined]
    assert state.left.is_set()
    assert state.left_by is reason


def test_leaving_the_replies_closes_the_handler(service: fastvarlink.Service, state: State) -> None:
    replies = service.handle(b'{"method":"org.example.dropin.Forever","more":true}')
    next(replies)
    replies.close()  # type: ignore[attr-defined]
    assert state.left.is_set()


@pytest.mark.parametrize(
    ("method", "error", "parameters"),
    [
        ("a.b.C", "InterfaceNotFound", {"interface": "a.b"}),
        (f"{INTERFACE}.Nope", "MethodNotFound", {"method": f"{INTERFACE}.Nope"}),
        (f"{INTERFACE}.Unwritten", "MethodNotImplemented", {"method": f"{INTERFACE}.Unwritten"}),
        (f"{INTERFACE}.Count", "InvalidParameter", {"parameter": "to"}),
        ("org.varlink.service.GetInterfaceDescription", "InvalidParameter", {"parameter": "interface"}),
    ],
)
def test_errors(service: fastvarlink.Service, method: str, error: str, parameters: Any) -> None:
    assert ask(service, method) == [{"error": f"org.varlink.service.{error}", "parameters": parameters}]


def test_a_oneway_call_has_no_reply(service: fastvarlink.Service, state: State) -> None:
    assert ask(service, f"{INTERFACE}.Remember", oneway=True, parameters={"text": "x"}) == []
    assert ask(service, f"{INTERFACE}.Nope", oneway=True) == []
    assert ask(service, f"{INTERFACE}.Fail", oneway=True, parameters={"reason": "x"}) == []
    assert state.texts == ["x"]


def test_from_dict_to_dict(service: fastvarlink.Service) -> None:
    message = {
        "method": f"{INTERFACE}.Kinds",
        "parameters": {"bool": True, "int": 1, "float": 1, "string": ""},
    }
    raw = json.dumps(message).encode()
    replies = list(service._handle(message, raw))
    assert replies == [{"parameters": {"kinds": ["bool", "int", "float", "str"]}}]
    (error,) = service._handle({"method": "a.b.C"}, b'{"method":"a.b.C"}')
    assert isinstance(error, fastvarlink.InterfaceNotFound)


@pytest.mark.parametrize("way", ["handle", "_handle"])
def test_the_raw_message_is_the_one_that_is_given(service: fastvarlink.Service, way: str) -> None:
    seen = []

    class Handler:
        def Thread(self, _raw: bytes, _message: Any) -> dict[str, Any]:
            seen.append((_raw, _message))
            return {"name": "", "pid": 1}

    service.interfaces_handlers[INTERFACE] = Handler()
    message = {"method": f"{INTERFACE}.Thread"}
    raw = b' {"method": "org.example.dropin.Thread"} '
    list(service.handle(raw + b"\0") if way == "handle" else service._handle(message, raw))
    assert seen == [(raw, message)]


# ---- the registry


def test_own_methods_can_be_called_directly(service: fastvarlink.Service) -> None:
    assert service.GetInfo() == {
        "vendor": "Example",
        "product": "Drop-in",
        "version": "7",
        "url": "https://example.org/",
        "interfaces": ["org.varlink.service", INTERFACE],
    }
    assert service.GetInterfaceDescription(INTERFACE) == {"description": DESCRIPTION}
    with pytest.raises(fastvarlink.InterfaceNotFound):
        service.GetInterfaceDescription("a.b")


def test_interfaces_may_be_written_at_any_time(service: fastvarlink.Service) -> None:
    class Ping:
        def Ping(self) -> dict[str, Any]:
            return {"n": 1}

    class Pong:
        def Ping(self) -> dict[str, Any]:
            return {"n": 2}

    assert ask(service, "x.y.Ping")[0]["error"].endswith("InterfaceNotFound")
    service.interfaces["x.y"] = fastvarlink.Interface("interface x.y\nmethod Ping() -> (n: int)\n")
    service.interfaces_handlers["x.y"] = Ping()
    assert ask(service, "x.y.Ping") == [{"parameters": {"n": 1}}]
    assert service.GetInfo()["interfaces"][-1] == "x.y"
    service.interfaces_handlers["x.y"] = Pong()
    assert ask(service, "x.y.Ping") == [{"parameters": {"n": 2}}]
    service.interfaces_handlers.update({"x.y": Ping()})
    assert ask(service, "x.y.Ping") == [{"parameters": {"n": 1}}]
    service.interfaces |= {}
    del service.interfaces["x.y"]
    assert ask(service, "x.y.Ping")[0]["error"].endswith("InterfaceNotFound")


def test_interfaces_may_be_replaced_whole(service: fastvarlink.Service) -> None:
    class Ping:
        def Ping(self) -> dict[str, Any]:
            return {}

    service.interfaces = {"x.y": fastvarlink.Interface("interface x.y\nmethod Ping() -> ()\n")}
    service.interfaces_handlers = {"x.y": Ping()}
    assert ask(service, "x.y.Ping") == [{}]
    assert ask(service, f"{INTERFACE}.Thread")[0]["error"].endswith("InterfaceNotFound")


def test_handlers_may_be_patched(service: fastvarlink.Service) -> None:
    handler = service.interfaces_handlers[INTERFACE]
    assert ask(service, f"{INTERFACE}.Remembered") == [{"parameters": {"texts": []}}]
    handler.Remembered = lambda _method: {"texts": [_method.name]}
    assert ask(service, f"{INTERFACE}.Remembered") == [{"parameters": {"texts": ["Remembered"]}}]


def test_ways_to_add_an_interface(tmp_path: Path) -> None:
    class Handler:
        def Ping(self) -> dict[str, Any]:
            return {}

    service = fastvarlink.Service(interface_dir=str(tmp_path))
    for name in "abcd":
        (tmp_path / f"x.{name}.varlink").write_text(f"interface x.{name}\nmethod Ping() -> ()\n")
    assert service.interface("x.a")(Handler) is Handler
    assert isinstance(service.interfaces_handlers["x.a"], Handler)
    service.interface(str(tmp_path / "x.b.varlink"))(Handler)
    service._add_interface("x.c", Handler())
    service._set_interface("x.d", Handler())
    assert list(service.interfaces) == ["org.varlink.service", "x.a", "x.b", "x.c", "x.d"]
    for name in "abcd":
        assert ask(service, f"x.{name}.Ping") == [{}]
    with pytest.raises(FileNotFoundError):
        service._add_interface("x.missing", Handler())


def test_a_namespaced_service(tmp_path: Path) -> None:
    service = make_service(tmp_path, namespaced=True)
    seen = []

    class Handler:
        def Echo(self, text: str, number: Any, point: Any, *rest: Any) -> Any:
            seen.append(point)
            return SimpleNamespace(text=text, point=SimpleNamespace(x=point.y, y=point.x))

        def Count(self, to: int) -> Any:
            yield SimpleNamespace(number=1, _continues=True)
            yield SimpleNamespace(number=2, _continues=False)

    service.interfaces_handlers[INTERFACE] = Handler()
    parameters = {"text": "a", "point": {"x": 1, "y": 2}}
    assert ask(service, f"{INTERFACE}.Echo", parameters=parameters) == [
        {"parameters": {"text": "a", "point": {"x": 2, "y": 1}}}
    ]
    assert seen == [SimpleNamespace(x=1, y=2)]
    assert [r["parameters"] for r in ask(service, f"{INTERFACE}.Count", more=True, parameters={"to": 1})] == [
        {"number": 1},
        {"number": 2},
    ]
