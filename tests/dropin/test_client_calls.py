"""Calling methods: arguments, results, streams and errors."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

import fastvarlink

from .sample import INTERFACE, PATIENCE, State


def test_a_handler_knows_its_interface(client: fastvarlink.Client, example: Any) -> None:
    assert isinstance(example, fastvarlink.SimpleClientInterfaceHandler)
    assert isinstance(example, fastvarlink.ClientInterfaceHandler)
    assert example._interface is client._interfaces[INTERFACE]
    assert example._namespaced is False
    assert example._in_use is False


def test_methods_have_names_and_docs(example: Any) -> None:
    assert example.Echo.__name__ == "Echo"
    assert "Sends back what it was given." in example.Echo.__doc__
    assert "Echo(" in example.Echo.__doc__
    assert "-> (number: int)" in example.Count.__doc__
    assert callable(example.Echo)
    assert not hasattr(example, "Nope")
    assert not hasattr(example, "Point")


def test_arguments_by_position_and_by_name(example: Any) -> None:
    by_position = example.Echo("a", 1, {"x": 1, "y": 2}, {"s"}, [1, 2], "low")
    by_name = example.Echo(
        level="low", numbers=[1, 2], tags={"s"}, point={"x": 1, "y": 2}, number=1, text="a"
    )
    mixed = example.Echo("a", 1, level="low", numbers=[1, 2], tags={"s"}, point={"x": 1, "y": 2})
    assert by_position == by_name == mixed
    assert by_position == {
        "text": "a",
        "number": 1,
        "point": {"x": 1, "y": 2},
        "tags": {"s"},
        "numbers": [1, 2],
        "level": "low",
    }


def test_extra_and_unknown_arguments_are_ignored(example: Any) -> None:
    assert example.Remember("a", "b", "c", nope=1, other=object()) == {}
    assert example.Remembered(1, 2, nope=3) == {"texts": ["a"]}


def test_trailing_none_is_dropped(example: Any) -> None:
    assert example.Echo("a", None, None, None, None, None) == {"text": "a"}
    assert example.Echo("a", 5, None) == {"text": "a", "number": 5}
    assert example.Echo(text="a", number=None) == {"text": "a"}


def test_none_in_the_middle_keeps_its_place(example: Any) -> None:
    assert example.Echo("a", None, None, None, [1]) == {"text": "a", "numbers": [1]}


def test_flags_that_are_false_are_as_none(example: Any, state: State) -> None:
    assert example.Count(3, _more=False) == {"number": 3}
    assert example.Remembered(_oneway=False) == {"texts": []}
    assert example.Count(to=4, _more=False, _oneway=False) == {"number": 4}


def test_argument_types_follow_the_declaration(example: Any) -> None:
    assert example.Kinds(True, 1, 1.5, "x") == {"kinds": ["bool", "int", "float", "str"]}
    for arguments in [("x", 1, 1.5, "x"), (True, "1", 1.5, "x"), (True, 1, "x", "x"), (True, 1, 1.5, 1)]:
        with pytest.raises(fastvarlink.InvalidParameter):
            example.Kinds(*arguments)
    # The handler has not been spoilt by that.
    assert example.Kinds(True, 1, 1.5, "x")


def test_a_wrong_enum_value(example: Any) -> None:
    with pytest.raises(fastvarlink.InvalidParameter) as caught:
        example.Echo("a", level="highest")
    assert caught.value.parameters()["parameter"].endswith("level")


@pytest.mark.parametrize(
    "given", [{"a", "b"}, frozenset({"a", "b"}), {"a": {}, "b": {}}], ids=["set", "frozenset", "wire form"]
)
def test_a_set_arrives_as_a_set(example: Any, given: Any) -> None:
    got = example.Echo("x", tags=given)["tags"]
    assert isinstance(got, set)
    assert got == {"a", "b"}


def test_an_empty_set_arrives_as_one(example: Any) -> None:
    assert example.Echo("x", tags=set())["tags"] == set()


def test_structs_may_be_namespaces(example: Any) -> None:
    assert example.Echo("a", point=SimpleNamespace(x=1, y=2))["point"] == {"x": 1, "y": 2}


def test_namespaced_results(client: fastvarlink.Client) -> None:
    with client.open(INTERFACE, namespaced=True) as example:
        assert example._namespaced is True
        got = example.Echo("a", point=SimpleNamespace(x=1, y=2), tags={"t"})
        assert isinstance(got, SimpleNamespace)
        assert got.text == "a"
        assert got.point == SimpleNamespace(x=1, y=2)
        assert got.tags == {"t"}
        assert not hasattr(got, "number")
        assert not hasattr(got, "level")
        assert [r.number for r in example.Count(2, _more=True)] == [1, 2]
    with client.open(INTERFACE, True) as example:
        assert example.Remembered().texts == []


def test_a_stream(example: Any) -> None:
    replies = example.Count(3, _more=True)
    assert iter(replies) is replies
    assert next(replies) == {"number": 1}
    assert example._in_use is True
    assert replies.__next__() == {"number": 2}
    assert next(replies) == {"number": 3}
    assert example._in_use is False
    with pytest.raises(StopIteration):
        next(replies)
    assert next(replies, None) is None
    assert example.Remembered() == {"texts": []}


def test_a_stream_has_a_close_method(example: Any) -> None:
    replies = example.Count(to=1, _more=True)
    assert list(replies) == [{"number": 1}]
    replies.close()
    assert list(replies) == []


def test_more_on_a_plain_method(example: Any) -> None:
    assert list(example.Remembered(_more=True)) == [{"texts": []}]


def test_an_error_in_place_of_a_stream(example: Any) -> None:
    replies = example.Fail("x", _more=True)
    with pytest.raises(fastvarlink.VarlinkError) as caught:
        next(replies)
    assert caught.value.parameters()["reason"] == "x"
    assert example._in_use is False
    assert example.Remembered() == {"texts": []}


def test_a_second_call_while_a_stream_is_read_is_refused(example: Any) -> None:
    replies = example.Count(2, _more=True)
    next(replies)
    with pytest.raises(ConnectionError) as caught:
        example.Remembered()
    assert "still in progress" in str(caught.value)
    assert next(replies) == {"number": 2}
    assert list(replies) == []
    assert example.Remembered() == {"texts": []}


def test_a_oneway_call(example: Any, state: State) -> None:
    assert example.Remember("a", _oneway=True) is None
    assert state.remembered.wait(PATIENCE)
    assert example.Remembered() == {"texts": ["a"]}


def test_a_oneway_call_that_fails_leaves_the_handler_usable(example: Any) -> None:
    assert example.Fail("x", _oneway=True) is None
    assert example.Unwritten(_oneway=True) is None
    assert example.Remembered() == {"texts": []}


def test_errors_of_the_interface(example: Any) -> None:
    with pytest.raises(fastvarlink.VarlinkError) as caught:
        example.Fail(reason="too late")
    assert caught.value.error() == f"{INTERFACE}.Failed"
    assert caught.value.parameters() == {"reason": "too late"}
    assert caught.value.parameters(namespaced=True).reason == "too late"
    assert caught.value.as_dict()["error"] == f"{INTERFACE}.Failed"
    assert example.Remembered() == {"texts": []}


def test_errors_of_a_namespaced_handler(client: fastvarlink.Client) -> None:
    with client.open(INTERFACE, namespaced=True) as example:
        with pytest.raises(fastvarlink.VarlinkError) as caught:
            example.Fail("x")
        assert caught.value.error() == f"{INTERFACE}.Failed"
        assert caught.value.parameters(namespaced=True).reason == "x"
        with pytest.raises(fastvarlink.MethodNotImplemented):
            example.Unwritten()


def test_standard_errors_arrive_as_their_classes(client: fastvarlink.Client, example: Any) -> None:
    with pytest.raises(fastvarlink.MethodNotImplemented):
        example.Unwritten()
    with pytest.raises(fastvarlink.InvalidParameter):
        example.Count()
    with client.open("org.varlink.service") as service:
        with pytest.raises(fastvarlink.InterfaceNotFound) as caught:
            service.GetInterfaceDescription("a.b")
        assert caught.value.parameters() == {"interface": "a.b"}
        assert service.GetInfo()["product"] == "Drop-in"
    client.add_interface(fastvarlink.Interface(f"interface {INTERFACE}\nmethod Nope() -> ()\n"))
    with client.open(INTERFACE) as other, pytest.raises(fastvarlink.MethodNotFound) as missing:
        other.Nope()
    assert missing.value.parameters() == {"method": f"{INTERFACE}.Nope"}


def test_private_ways_to_call(example: Any) -> None:
    assert example._call("Echo", "a", number=1) == {"text": "a", "number": 1}
    assert example._call("Remember", "b", _oneway=True) is None
    assert [reply["number"] for reply in example._call_more("Count", 2)] == [1, 2]
    with pytest.raises(fastvarlink.MethodNotFound):
        example._call("Nope")
    with pytest.raises(fastvarlink.MethodNotFound):
        next(example._call_more("Nope"))


def test_sending_and_receiving_by_hand(example: Any) -> None:
    example._send_message(b'{"method":"org.example.dropin.Remembered"}')
    assert example._next_varlink_message() == ({"texts": []}, False)
    example._send_message(b'{"method":"org.example.dropin.Count","more":true,"parameters":{"to":2}}')
    assert example._next_varlink_message() == ({"number": 1}, True)
    message = next(example._next_message())
    assert isinstance(message, str)
    assert '"number"' in message
    example._send_message(b'{"method":"a.b.C"}')
    with pytest.raises(fastvarlink.InterfaceNotFound):
        example._next_varlink_message()
    assert example.Remembered() == {"texts": []}


def test_a_handler_needs_an_interface() -> None:
    for cls in (fastvarlink.ClientInterfaceHandler, fastvarlink.SimpleClientInterfaceHandler):
        with pytest.raises(TypeError):
            cls("org.example.dropin", *([None] if cls is not fastvarlink.ClientInterfaceHandler else []))
