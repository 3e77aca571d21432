"""What handlers are given, and what they may return, yield and raise."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest

import fastvarlink
from fastvarlink import scanner

from .sample import INTERFACE, PATIENCE, Failed, State
from .serving import Running


class Magic:
    """Takes all that can be asked for by name."""

    def __init__(self) -> None:
        self.seen: list[dict[str, Any]] = []
        self.called = threading.Event()

    def Remember(
        self,
        text: str,
        _more: Any = None,
        _oneway: Any = None,
        _upgrade: Any = None,
        *,
        _raw: bytes,
        _message: Any,
        _interface: Any,
        _method: Any,
        _server: Any,
        _request: Any,
    ) -> dict[str, Any]:
        given = dict(locals())
        del given["self"]
        self.seen.append(given)
        self.called.set()
        return {}


@pytest.fixture
def magic(service: fastvarlink.Service) -> Magic:
    handler = Magic()
    service.interfaces_handlers[INTERFACE] = handler
    return handler


def test_magic_keywords(magic: Magic, running: Running, service: Any, example: Any) -> None:
    example.Remember("a")
    (seen,) = magic.seen
    message = {"method": f"{INTERFACE}.Remember", "parameters": {"text": "a"}}
    assert seen["text"] == "a"
    assert (seen["_more"], seen["_oneway"], seen["_upgrade"]) == (None, None, None)
    assert seen["_message"] == message
    assert isinstance(seen["_raw"], bytes)
    assert json.loads(seen["_raw"]) == message
    assert seen["_interface"] is service.interfaces[INTERFACE]
    assert isinstance(seen["_method"], scanner._Method)
    assert seen["_method"].name == "Remember"
    assert seen["_server"] is running.server
    assert isinstance(seen["_request"], socket.socket)


def test_flags_are_passed_when_they_are_true(magic: Magic, example: Any) -> None:
    list(example.Remember("a", _more=True))
    example.Remember("b", _oneway=True)
    example._send_message(
        b'{"method":"org.example.dropin.Remember","parameters":{"text":"c"},"upgrade":true}'
    )
    example._next_varlink_message()
    flags = [(seen["_more"], seen["_oneway"], seen["_upgrade"]) for seen in magic.seen]
    assert flags == [(True, None, None), (None, True, None), (None, None, True)]


def test_the_message_has_no_more_members_than_were_sent(
    service: fastvarlink.Service, running: Running, example: Any
) -> None:
    seen: list[Any] = []

    class Handler:
        def Remembered(self, _message: Any) -> dict[str, Any]:
            seen.append(_message)
            return {"texts": []}

    service.interfaces_handlers[INTERFACE] = Handler()
    example.Remembered()
    list(example.Remembered(_more=True))
    example.Remembered(_oneway=True)
    example.Remembered()
    name = f"{INTERFACE}.Remembered"
    assert seen == [
        {"method": name},
        {"method": name, "more": True, "parameters": {}},
        {"method": name, "oneway": True},
        {"method": name},
    ]


def answering(service: fastvarlink.Service, method: str, function: Callable[..., Any]) -> None:
    """Have a function answer a method of the sample interface."""
    service.interfaces_handlers[INTERFACE] = type("Handler", (), {method: staticmethod(function)})()


def test_parameters_come_by_position(service: fastvarlink.Service, example: Any) -> None:
    answering(service, "Kinds", lambda a, b, c, d: {"kinds": [str(a), str(b), str(c), str(d)]})
    assert example.Kinds(string="s", float=0.5, int=2, bool=False) == {"kinds": ["False", "2", "0.5", "s"]}


def test_a_parameter_that_was_not_sent_is_none(service: fastvarlink.Service, example: Any) -> None:
    seen: list[Any] = []

    def echo(*args: Any) -> dict[str, Any]:
        seen.extend(args)
        return {"text": ""}

    answering(service, "Echo", echo)
    assert example.Echo("a") == {"text": ""}
    assert seen == ["a", None, None, None, None, None]


@pytest.mark.parametrize("result", [None, {}])
def test_nothing_is_an_empty_reply(service: fastvarlink.Service, example: Any, result: Any) -> None:
    answering(service, "Remember", lambda text: result)
    assert example.Remember("a") == {}


def test_handlers_of_every_kind(service: fastvarlink.Service, example: Any) -> None:
    class Answering:
        def __call__(self, text: str) -> dict[str, Any]:
            return {}

    class Static:
        Remember = staticmethod(lambda text: {})

    class OfClass:
        @classmethod
        def Remember(cls, text: str) -> dict[str, Any]:
            return {}

    class Instance:
        Remember = Answering()

    for handler in (Static(), OfClass(), Instance(), OfClass):
        service.interfaces_handlers[INTERFACE] = handler
        assert example.Remember("a") == {}


def test_a_name_that_is_not_callable_is_not_implemented(service: fastvarlink.Service, example: Any) -> None:
    service.interfaces_handlers[INTERFACE] = type("Handler", (), {"Remember": 3})()
    with pytest.raises(fastvarlink.MethodNotImplemented) as caught:
        example.Remember("a")
    assert caught.value.parameters() == {"method": f"{INTERFACE}.Remember"}


def test_a_sets_and_dicts_reach_the_handler_as_such(service: fastvarlink.Service, example: Any) -> None:
    seen: list[Any] = []

    def echo(text: str, number: int, point: Any, tags: Any, numbers: Any, level: Any) -> Any:
        seen.extend([point, tags, numbers, level])
        return {"text": "", "tags": tags}

    answering(service, "Echo", echo)
    assert example.Echo("a", 1, {"x": 1, "y": 2}, {"t"}, [1], "low") == {"text": "", "tags": {"t"}}
    assert seen == [{"x": 1, "y": 2}, {"t"}, [1], "low"]


# ---- generators


def test_continues(service: fastvarlink.Service, example: Any) -> None:
    def count(to: int) -> Any:
        yield {"number": 1, "_continues": True}
        yield {"number": 2, "_continues": False}
        raise AssertionError("What comes after the last reply is not asked for.")

    answering(service, "Count", count)
    assert list(example.Count(2, _more=True)) == [{"number": 1}, {"number": 2}]
    assert list(example.Count(2, _more=True)) == [{"number": 1}, {"number": 2}]


def test_one_yield_without_continues_is_a_reply(service: fastvarlink.Service, example: Any) -> None:
    def count(to: int) -> Any:
        yield {"number": to}

    answering(service, "Count", count)
    assert example.Count(2) == {"number": 2}
    assert list(example.Count(3, _more=True)) == [{"number": 3}]


def test_a_generator_may_yield_nothing(service: fastvarlink.Service, example: Any) -> None:
    def nothing(*_: Any) -> Any:
        yield from ()

    answering(service, "Remember", nothing)
    assert example.Remember("a") == {}
    answering(service, "Count", nothing)
    # Its declaration asks for a number.
    with pytest.raises(fastvarlink.VarlinkError):
        example.Count(1)
    assert list(example.Remember("a", _oneway=True) or ()) == []


def test_a_stream_without_more_is_refused(example: Any) -> None:
    with pytest.raises(fastvarlink.VarlinkError) as caught:
        example.Forever()
    assert caught.value.error() == "org.varlink.service.ExpectedMore"
    assert example.Remembered() == {"texts": []}


@pytest.mark.parametrize("before", [0, 2])
@pytest.mark.parametrize("way", ["yield", "raise"])
def test_errors_from_generators(service: fastvarlink.Service, example: Any, before: int, way: str) -> None:
    def count(to: int) -> Any:
        for number in range(before):
            yield {"number": number, "_continues": True}
        if way == "raise":
            raise Failed("enough")
        yield Failed("enough")

    answering(service, "Count", count)
    replies = example.Count(1, _more=True)
    assert [next(replies)["number"] for _ in range(before)] == list(range(before))
    with pytest.raises(fastvarlink.VarlinkError) as caught:
        next(replies)
    assert caught.value.error() == f"{INTERFACE}.Failed"
    assert caught.value.parameters() == {"reason": "enough"}
    answering(service, "Remembered", lambda: {"texts": []})
    assert example.Remembered() == {"texts": []}


def test_a_yielded_standard_error(service: fastvarlink.Service, example: Any) -> None:
    def count(to: int) -> Any:
        yield fastvarlink.InvalidParameter("to")

    answering(service, "Count", count)
    with pytest.raises(fastvarlink.InvalidParameter) as caught:
        example.Count(1)
    assert caught.value.parameters() == {"parameter": "to"}


@pytest.mark.parametrize(
    "server_class",
    [fastvarlink.Server, fastvarlink.ThreadingServer],
    ids=["Server", "ThreadingServer"],
)
def test_a_generator_is_told_that_the_client_has_gone(
    serve: Callable[..., Running], service: fastvarlink.Service, state: State, server_class: Any
) -> None:
    running = serve(service, server_class)
    with fastvarlink.Client(running.address) as client, client.open(INTERFACE) as example:
        replies = example.Forever(_more=True)
        assert next(replies) == {"number": 0}
    assert state.left.wait(PATIENCE)
    assert isinstance(state.left_by, ConnectionError)
    with fastvarlink.Client(running.address) as client:
        assert INTERFACE in client.get_interfaces()


# ---- failures


@pytest.mark.parametrize("failure", [ValueError("secret"), KeyError("x"), ConnectionError("other service")])
def test_a_crash_is_an_error_reply(
    service: fastvarlink.Service, example: Any, failure: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    def remember(text: str) -> Any:
        raise failure

    answering(service, "Remember", remember)
    with pytest.raises(fastvarlink.VarlinkError) as caught:
        example.Remember("a")
    assert "secret" not in str(caught.value)
    assert "secret" in caplog.text or failure.args != ("secret",)
    answering(service, "Remembered", lambda: {"texts": []})
    assert example.Remembered() == {"texts": []}


def test_a_wrong_result_is_an_error_reply(service: fastvarlink.Service, example: Any) -> None:
    answering(service, "Remembered", lambda: {"texts": [1]})
    with pytest.raises(fastvarlink.VarlinkError):
        example.Remembered()


def test_an_error_with_a_name_that_is_not_qualified(service: fastvarlink.Service, example: Any) -> None:
    class NmstateError(fastvarlink.VarlinkError):
        def __init__(self, message: str) -> None:
            super().__init__({"error": self.__class__.__name__, "parameters": {"error_message": message}})

    def remember(text: str) -> Any:
        raise NmstateError("no such device")

    answering(service, "Remember", remember)
    with pytest.raises(fastvarlink.VarlinkError) as caught:
        example.Remember("a")
    assert caught.value.error() == "NmstateError"
    assert caught.value.parameters() == {"error_message": "no such device"}


def test_invalid_parameter_made_of_an_exception(service: fastvarlink.Service, example: Any) -> None:
    def remember(text: str) -> Any:
        try:
            int(text)
        except ValueError as reason:
            raise fastvarlink.InvalidParameter(reason) from reason

    answering(service, "Remember", remember)
    with pytest.raises(fastvarlink.InvalidParameter) as caught:
        example.Remember("a")
    assert "invalid literal" in caught.value.parameters()["parameter"]
