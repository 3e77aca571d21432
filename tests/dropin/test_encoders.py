"""Encoders that programs bring for what their handlers return."""

from __future__ import annotations

import dataclasses
import datetime
import json
from typing import Any

import pytest

import fastvarlink
import fastvarlink.error
import fastvarlink.server


def ask(service: fastvarlink.Service, method: str, **message: Any) -> list[Any]:
    """The decoded replies to a call."""
    call = json.dumps({"method": method, **message}).encode()
    return [json.loads(reply) for reply in service.handle(call) if reply is not None]


@dataclasses.dataclass
class Point:
    x: int
    y: int


class Encoder(fastvarlink.VarlinkEncoder):
    def default(self, o: Any) -> Any:
        if isinstance(o, Point):
            return {"x": o.y, "y": o.x}
        if isinstance(o, datetime.datetime):
            return "a moment"
        return super().default(o)


class Places:
    def Place(self) -> Any:
        return {"at": Point(1, 2), "when": datetime.datetime(2020, 1, 1)}

    def Whole(self) -> Any:
        return Point(1, 2)

    def Stream(self) -> Any:
        yield {"at": Point(1, 2), "_continues": True}
        yield {"at": Point(3, 4), "_continues": False}


PLACES = (
    "interface x.places\ntype P (x: int, y: int)\nmethod Place() -> (at: P, when: string)\n"
    "method Whole() -> (x: int, y: int)\nmethod Stream() -> (at: P)\n"
)


def places(**options: Any) -> fastvarlink.Service:
    service = fastvarlink.Service(**options)
    service.interfaces["x.places"] = fastvarlink.Interface(PLACES)
    service.interfaces_handlers["x.places"] = Places()
    return service


def check_places(service: fastvarlink.Service) -> None:
    assert ask(service, "x.places.Place") == [{"parameters": {"at": {"x": 2, "y": 1}, "when": "a moment"}}]
    assert ask(service, "x.places.Whole") == [{"parameters": {"x": 2, "y": 1}}]
    replies = ask(service, "x.places.Stream", more=True)
    assert [reply["parameters"]["at"] for reply in replies] == [{"x": 2, "y": 1}, {"x": 4, "y": 3}]


def test_an_encoder_of_the_service() -> None:
    check_places(places(json_encoder_cls=Encoder))


@pytest.mark.parametrize("module", [fastvarlink.error, fastvarlink.server])
def test_an_encoder_put_into_a_module(module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "VarlinkEncoder", Encoder)
    check_places(places())


@pytest.mark.parametrize("module", [fastvarlink.error, fastvarlink.server])
def test_an_encoder_put_in_after_the_first_call(module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    service = places()
    assert "error" in ask(service, "x.places.Whole")[0]
    monkeypatch.setattr(module, "VarlinkEncoder", Encoder)
    check_places(service)


def test_an_encoder_with_a_patched_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fastvarlink.error.VarlinkEncoder, "default", patched_default)
    check_places(places())


def patched_default(self: Any, o: Any) -> Any:
    """As programs patch the method instead of the class."""
    if isinstance(o, Point):
        return {"x": o.y, "y": o.x}
    if isinstance(o, datetime.datetime):
        return "a moment"
    raise TypeError(o)


def test_an_error_uses_the_encoder_of_its_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fastvarlink.error, "VarlinkEncoder", Encoder)
    raised = fastvarlink.VarlinkError({"error": "a.b.C", "parameters": {"at": Point(1, 2)}})
    assert raised.parameters() == {"at": {"x": 2, "y": 1}}
