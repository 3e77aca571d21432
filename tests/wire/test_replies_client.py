"""R2 to R5, C4 and E1 to E3 at the client: which replies it takes, and what they become."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from fastvarlink import error
from fastvarlink.error import ConnectionLost, ProtocolError, VarlinkError

from .conftest import Caller
from .rawstream import PATIENCE, PeerEndedError, RawStream, frame
from .sample import DESCRIPTION, INTERFACE
from .scripted import ScriptedPeer, answers

CallAt = Callable[..., Caller]
SERVICE = "org.varlink.service"
PONG = frame({"parameters": {"text": "pong"}})


@pytest.mark.rule("R2")
@pytest.mark.parametrize("reply", [{}, {"parameters": None}, {"parameters": {}}], ids=str)
def test_absent_null_and_empty_parameters_are_the_same(call_at: CallAt, reply: dict[str, Any]) -> None:
    caller = call_at(answers(frame(reply), PONG))
    assert caller.handler.Record("x") == {}
    assert caller.handler.Ping("x") == {"text": "pong"}


@pytest.mark.rule("R2")
@pytest.mark.parametrize("reply", [{}, {"parameters": None}, {"parameters": {}}], ids=str)
def test_absent_null_and_empty_parameters_of_an_error_are_the_same(
    call_at: CallAt, reply: dict[str, Any]
) -> None:
    caller = call_at(answers(frame({"error": f"{SERVICE}.PermissionDenied"} | reply), PONG))
    with pytest.raises(error.PermissionDenied):
        caller.handler.Ping("x")
    assert caller.handler.Ping("x") == {"text": "pong"}


@pytest.mark.rule("R2")
def test_absent_parameters_in_a_stream(call_at: CallAt) -> None:
    caller = call_at(
        answers(frame({"continues": True}) + frame({"parameters": None, "continues": True}) + b"{}\0")
    )
    assert list(caller.handler.Silent(_more=True)) == [{}, {}, {}]


REFUSED: dict[str, Any] = {
    "continues that nobody asked for": {"parameters": {"text": "x"}, "continues": True},
    "continues beside an error": {"error": f"{INTERFACE}.Failed", "continues": True},
    "an unknown member": {"parameters": {"text": "x"}, "unknown": 1},
    "a member of calls": {"parameters": {"text": "x"}, "method": "org.example.wire.Ping"},
    "a member without a name": {"parameters": {"text": "x"}, "": None},
    "an array": [{"parameters": {"text": "x"}}],
    "a string": "text",
    "a number": 1,
    "null": None,
    "parameters in an array": {"parameters": [1]},
    "parameters in a string": {"parameters": "x"},
    "parameters that are false": {"parameters": False},
    "continues as a number": {"parameters": {"text": "x"}, "continues": 0},
    "continues as null": {"parameters": {"text": "x"}, "continues": None},
    "continues as a string": {"parameters": {"text": "x"}, "continues": "false"},
    "an error that is a number": {"error": 1},
    "an error that is an object": {"error": {}},
    "an error that is false": {"error": False},
}


@pytest.mark.rule("R3")
@pytest.mark.parametrize("reply", REFUSED.values(), ids=REFUSED.keys())
def test_a_reply_that_may_not_be_fails_the_call_and_closes(call_at: CallAt, reply: Any) -> None:
    caller = call_at(answers(frame(reply)))
    with pytest.raises(ProtocolError):
        caller.handler.Ping("x")
    caller.peer.finish()
    with pytest.raises(ConnectionError):
        caller.handler.Ping("again")


@pytest.mark.rule("R3")
@pytest.mark.parametrize(
    "reply",
    [reply for name, reply in REFUSED.items() if name != "continues that nobody asked for"],
    ids=[name for name in REFUSED if name != "continues that nobody asked for"],
)
def test_a_reply_that_may_not_be_fails_the_stream_and_closes(call_at: CallAt, reply: Any) -> None:
    first = frame({"parameters": {"i": 0}, "continues": True})
    caller = call_at(answers(first + frame(reply)))
    replies = caller.handler.Count(3, _more=True)
    assert next(replies) == {"i": 0}
    with pytest.raises(ProtocolError):
        next(replies)
    caller.peer.finish()


@pytest.mark.rule("R3")
@pytest.mark.parametrize(
    "reply",
    [
        b'{"parameters":{"text":"x"},"parameters":{"text":"y"}}\0',
        rb'{"parameters":{"text":"x"},"p\u0061rameters":{"text":"y"}}' + b"\0",
        b'{"parameters":{"text":"x"},"continues":false,"continues":false}\0',
    ],
)
def test_a_member_given_twice_is_garbage(call_at: CallAt, reply: bytes) -> None:
    caller = call_at(answers(reply))
    with pytest.raises(ProtocolError):
        caller.handler.Ping("x")
    caller.peer.finish()


@pytest.mark.rule("C4")
@pytest.mark.rule("R3")
@pytest.mark.parametrize("value", [None, 1, True, "x", [], {"continues": True}], ids=str)
def test_a_member_with_a_dot_is_ignored(call_at: CallAt, value: Any) -> None:
    caller = call_at(answers(frame({"com.example.a": value, "parameters": {"text": "x"}}), PONG))
    assert caller.handler.Ping("x") == {"text": "x"}
    assert caller.handler.Ping("x") == {"text": "pong"}


@pytest.mark.rule("R3")
def test_continues_that_is_false_is_none(call_at: CallAt) -> None:
    caller = call_at(answers(frame({"parameters": {"text": "x"}, "continues": False}), PONG))
    assert caller.handler.Ping("x") == {"text": "x"}
    assert caller.handler.Ping("x") == {"text": "pong"}


@pytest.mark.rule("R3")
@pytest.mark.parametrize("surplus", [PONG, b"{}\0", frame({"error": f"{SERVICE}.PermissionDenied"})])
@pytest.mark.parametrize("keyword", ["", "_oneway"])
def test_a_reply_that_no_call_waits_for_is_never_taken(
    call_at: CallAt, client_driver: str, keyword: str, surplus: bytes
) -> None:
    sent = threading.Event()

    def script(stream: RawStream) -> None:
        stream.read_frame()
        if not keyword:
            stream.send(frame({"parameters": {"text": "first"}}))
        stream.send(surplus)
        sent.set()
        # Whatever the client still writes, it gets no answer and has to close.
        while True:
            try:
                stream.read_frame()
            except (PeerEndedError, ConnectionResetError):
                return

    caller = call_at(script)
    if keyword:
        assert caller.handler.Ping("x", _oneway=True) is None
    else:
        assert caller.handler.Ping("x") == {"text": "first"}
    assert sent.wait(PATIENCE)
    # A loop may have found it, and closed the connection, before the call is made.
    with pytest.raises(ProtocolError if client_driver == "blocking" else ConnectionLost):
        caller.handler.Ping("second")
    caller.peer.finish()


@pytest.mark.rule("R4")
def test_unknown_fields_of_a_reply_are_ignored(call_at: CallAt) -> None:
    more = {"text": "x", "extra": {"a": [1, None]}, "method": 1}
    caller = call_at(answers(frame({"parameters": more}), PONG))
    assert caller.handler.Ping("x")["text"] == "x"
    assert caller.handler.Ping("x") == {"text": "pong"}


@pytest.mark.rule("R4")
def test_unknown_fields_deep_in_a_reply_are_ignored(call_at: CallAt) -> None:
    item = {"name": "a", "size": 1, "colour": "red"}
    caller = call_at(answers(frame({"parameters": {"items": [item]}})))
    result = caller.handler.Items([{"name": "a", "size": 1}])
    assert result["items"][0]["name"] == "a"
    assert result["items"][0]["size"] == 1


@pytest.mark.rule("R4")
def test_unknown_fields_in_a_stream_are_ignored(call_at: CallAt) -> None:
    replies = [frame({"parameters": {"i": i, "extra": i}, "continues": i < 2}) for i in range(3)]
    caller = call_at(answers(b"".join(replies)))
    assert [reply["i"] for reply in caller.handler.Count(3, _more=True)] == [0, 1, 2]


@pytest.mark.rule("R5")
def test_an_error_of_the_interface(call_at: CallAt) -> None:
    failed = {"error": f"{INTERFACE}.Failed", "parameters": {"reason": "no luck", "code": 13}}
    caller = call_at(answers(frame(failed), PONG))
    with pytest.raises(VarlinkError) as raised:
        caller.handler.Fail("no luck", 13)
    assert isinstance(raised.value, error.Error)
    assert raised.value.error() == f"{INTERFACE}.Failed"
    assert raised.value.parameters() == {"reason": "no luck", "code": 13}
    assert raised.value.parameters(namespaced=True).reason == "no luck"
    assert raised.value.parameters(namespaced=True).code == 13
    assert caller.handler.Ping("x") == {"text": "pong"}


GENERIC: list[tuple[type[VarlinkError], dict[str, Any]]] = [
    (error.InterfaceNotFound, {"interface": "org.example.nothing"}),
    (error.MethodNotFound, {"method": "org.example.wire.Nothing"}),
    (error.MethodNotImplemented, {"method": "org.example.wire.Unwritten"}),
    (error.InvalidParameter, {"parameter": "items[1].size"}),
    (error.PermissionDenied, {}),
    (error.ExpectedMore, {}),
    (error.ExpectedUpgrade, {}),
]


@pytest.mark.rule("R5")
@pytest.mark.rule("E1")
@pytest.mark.parametrize(("kind", "parameters"), GENERIC)
def test_each_generic_error_has_its_class(
    call_at: CallAt, kind: type[VarlinkError], parameters: dict[str, Any]
) -> None:
    reply = {"error": f"{SERVICE}.{kind.__name__}", "parameters": parameters}
    caller = call_at(answers(frame(reply), PONG))
    with pytest.raises(kind) as raised:
        caller.handler.Ping("x")
    assert type(raised.value) is kind
    assert raised.value.error() == reply["error"]
    assert (raised.value.parameters() or {}) == parameters
    assert caller.handler.Ping("x") == {"text": "pong"}


@pytest.mark.rule("R5")
@pytest.mark.parametrize("name", ["org.varlink.service.NewError", "io.example.Other", "Odd", ""])
def test_an_error_that_nobody_declared(call_at: CallAt, name: str) -> None:
    caller = call_at(answers(frame({"error": name, "parameters": {"a": [1]}}), PONG))
    with pytest.raises(VarlinkError) as raised:
        caller.handler.Ping("x")
    assert raised.value.error() == name
    assert raised.value.parameters() == {"a": [1]}
    assert caller.handler.Ping("x") == {"text": "pong"}


@pytest.mark.rule("R5")
def test_an_error_ends_a_stream(call_at: CallAt) -> None:
    first = frame({"parameters": {"i": 0}, "continues": True})
    failed = frame({"error": f"{INTERFACE}.Failed", "parameters": {"reason": "r", "code": 1}})
    caller = call_at(answers(first + failed, PONG))
    replies = caller.handler.Count(3, _more=True)
    assert next(replies) == {"i": 0}
    with pytest.raises(VarlinkError) as raised:
        next(replies)
    assert raised.value.error() == f"{INTERFACE}.Failed"
    assert caller.handler.Ping("x") == {"text": "pong"}


@pytest.mark.rule("E2")
@pytest.mark.parametrize(
    "reply",
    [
        {
            "error": f"{SERVICE}.InterfaceNotFound",
            "parameters": {"interface": "org.example.nothing"},
        },
        {
            "error": f"{SERVICE}.MethodNotFound",
            "parameters": {"method": "org.example.nothing.Here"},
        },
    ],
    ids=["InterfaceNotFound", "MethodNotFound"],
)
def test_either_error_means_an_unknown_interface(
    peer: ScriptedPeer, make_client: Callable[..., Any], reply: dict[str, Any]
) -> None:
    peer.start(answers(frame(reply)))
    with (
        make_client(peer.address) as client,
        pytest.raises((error.InterfaceNotFound, error.MethodNotFound)),
    ):
        client.open("org.example.nothing")
    # The connection that was made for it is not left open.
    peer.finish()


@pytest.mark.rule("E3")
def test_a_description_is_fetched_and_kept_as_it_is(
    peer: ScriptedPeer, make_client: Callable[..., Any]
) -> None:
    asked: list[bytes] = []

    def script(stream: RawStream) -> None:
        asked.append(stream.read_frame())
        stream.send(frame({"parameters": {"description": DESCRIPTION}}))
        stream.expect_end()

    peer.start(script)
    with make_client(peer.address) as client:
        interface = client.get_interface(INTERFACE)
    peer.finish()
    assert interface.get_description() == DESCRIPTION
    assert len(asked) == 1
    assert b'"org.varlink.service.GetInterfaceDescription"' in asked[0]
    assert b'"org.example.wire"' in asked[0]


@pytest.mark.rule("R5")
def test_an_error_may_be_as_deep_as_a_message(call_at: CallAt) -> None:
    deep = b'{"error":"x.y.Deep","parameters":{"why":' + b"[" * 1000 + b"]" * 1000 + b"}}\0"
    caller = call_at(answers(deep, PONG))
    with pytest.raises(VarlinkError) as caught:
        caller.handler.Ping("x")
    assert caught.value.error() == "x.y.Deep"
    assert caller.handler.Ping("x") == {"text": "pong"}
