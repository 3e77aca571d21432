"""fastvarlink.error: the classes, their attributes, and the encoder."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

import fastvarlink
from fastvarlink import error

STANDARD = [
    (fastvarlink.InterfaceNotFound, "org.varlink.service.InterfaceNotFound", "interface"),
    (fastvarlink.MethodNotFound, "org.varlink.service.MethodNotFound", "method"),
    (fastvarlink.MethodNotImplemented, "org.varlink.service.MethodNotImplemented", "method"),
    (fastvarlink.InvalidParameter, "org.varlink.service.InvalidParameter", "parameter"),
]


def test_an_error_needs_a_dict() -> None:
    with pytest.raises(TypeError):
        fastvarlink.VarlinkError("org.example.Failed")


def test_a_namespaced_error_takes_a_namespace() -> None:
    message = SimpleNamespace(error="org.example.Failed", parameters=SimpleNamespace(reason="x"))
    raised = fastvarlink.VarlinkError(message, namespaced=True)
    assert raised.error() == "org.example.Failed"
    assert raised.parameters() == {"reason": "x"}


def test_the_argument_is_in_plain_types() -> None:
    class Text(str):
        pass

    given = {
        "error": Text("org.example.Failed"),
        "parameters": {"point": SimpleNamespace(x=(1, 2)), "tags": {"a"}},
    }
    raised = fastvarlink.VarlinkError(given)
    plain = {"error": "org.example.Failed", "parameters": {"point": {"x": [1, 2]}, "tags": {"a": {}}}}
    assert raised.args == (plain,)
    assert type(raised.args[0]["error"]) is str
    assert type(raised.args[0]["parameters"]["point"]["x"]) is list
    assert raised.as_dict() == plain


def test_what_cannot_be_encoded_is_a_type_error() -> None:
    with pytest.raises(TypeError):
        fastvarlink.VarlinkError({"error": "org.example.Failed", "parameters": {"x": object()}})


def test_accessors() -> None:
    raised = fastvarlink.VarlinkError(
        {"error": "org.example.Failed", "parameters": {"point": {"x": 1}, "list": [{"y": 2}]}}
    )
    assert raised.error() == "org.example.Failed"
    assert raised.parameters() == {"point": {"x": 1}, "list": [{"y": 2}]}
    namespace = raised.parameters(namespaced=True)
    assert isinstance(namespace, SimpleNamespace)
    assert namespace.point.x == 1
    assert namespace.list[0].y == 2


def test_namespaced_parameters_that_are_absent_are_a_key_error() -> None:
    raised = fastvarlink.VarlinkError({"error": "org.example.Failed"})
    assert raised.error() == "org.example.Failed"
    with pytest.raises(KeyError):
        raised.parameters(namespaced=True)


@pytest.mark.parametrize(("cls", "name", "parameter"), STANDARD)
def test_standard_errors(cls: Any, name: str, parameter: str) -> None:
    raised = cls("value")
    assert isinstance(raised, fastvarlink.VarlinkError)
    assert raised.error() == name
    assert raised.parameters() == {parameter: "value"}
    assert raised.as_dict() == {"error": name, "parameters": {parameter: "value"}}
    assert getattr(raised.parameters(namespaced=True), parameter) == "value"


@pytest.mark.parametrize(("cls", "name", "parameter"), STANDARD)
@pytest.mark.parametrize("namespaced", [False, True])
def test_a_received_standard_error_is_of_its_class(
    cls: Any, name: str, parameter: str, namespaced: bool
) -> None:
    message: Any = {"error": name, "parameters": {parameter: "value"}}
    if namespaced:
        message = SimpleNamespace(error=name, parameters=SimpleNamespace(**{parameter: "value"}))
    for made in (
        fastvarlink.VarlinkError.new(message, namespaced),
        fastvarlink.VarlinkError.new(message, namespaced=namespaced),
        cls.new(message, namespaced),
    ):
        assert type(made) is cls
        assert made.parameters() == {parameter: "value"}


def test_a_plain_dict_may_come_with_the_namespaced_flag() -> None:
    message = {"error": "org.varlink.service.MethodNotFound", "parameters": {"method": "a.B"}}
    made = fastvarlink.VarlinkError.new(message, namespaced=True)
    assert type(made) is fastvarlink.MethodNotFound
    assert made.parameters() == {"method": "a.B"}


def test_another_error_is_a_plain_one() -> None:
    message = {"error": "org.example.Failed", "parameters": {"x": 1}}
    made = fastvarlink.VarlinkError.new(message)
    assert type(made) is fastvarlink.VarlinkError
    assert made.as_dict() == message


@pytest.mark.parametrize("value", [None, 1, ["a"], {"a": 1}])
def test_the_argument_may_be_anything_that_json_has(value: Any) -> None:
    assert fastvarlink.InvalidParameter(value).parameters() == {"parameter": value}


def test_the_argument_may_be_an_exception() -> None:
    raised = fastvarlink.InvalidParameter(ValueError("not a number"))
    assert raised.parameters() == {"parameter": "not a number"}


def test_a_subclass_may_wrap_another_error_and_say_where_it_comes_from() -> None:
    class ImageNotFound(fastvarlink.VarlinkError):
        def __init__(self, message: Any) -> None:
            super().__init__(message)
            self.__module__ = "libpod"

    received = fastvarlink.VarlinkError({"error": "io.podman.ImageNotFound", "parameters": {"name": "x"}})
    raised = ImageNotFound(received.as_dict())
    assert raised.as_dict() == received.as_dict()
    assert raised.__module__ == "libpod"


def test_a_subclass_may_call_the_constructor_by_name() -> None:
    class Failed(fastvarlink.VarlinkError):
        def __init__(self, reason: str) -> None:
            fastvarlink.VarlinkError.__init__(
                self, {"error": "org.example.Failed", "parameters": {"reason": reason}}
            )

    assert Failed("x").parameters() == {"reason": "x"}
    assert Failed("x").error() == "org.example.Failed"


def test_packing_and_unpacking() -> None:
    raised = fastvarlink.VarlinkError({"error": "org.example.Failed", "parameters": {"x": [1, None]}})
    packed = json.dumps(raised, cls=fastvarlink.VarlinkEncoder)
    assert fastvarlink.VarlinkError.new(json.loads(packed)).as_dict() == raised.as_dict()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"a", "b"}, {"a": {}, "b": {}}),
        (set(), {}),
        (SimpleNamespace(x=1, inner=SimpleNamespace(y=2)), {"x": 1, "inner": {"y": 2}}),
        (fastvarlink.MethodNotFound("a.B").as_dict(), fastvarlink.MethodNotFound("a.B")),
    ],
)
def test_the_encoder(value: Any, expected: Any) -> None:
    if isinstance(expected, fastvarlink.VarlinkError):
        value, expected = expected, value
    assert json.loads(json.dumps(value, cls=fastvarlink.VarlinkEncoder)) == expected


def test_the_encoder_refuses_what_it_does_not_know() -> None:
    with pytest.raises(TypeError):
        fastvarlink.VarlinkEncoder().default(object())


def test_the_classes_are_those_of_the_module() -> None:
    for name in (
        "VarlinkError",
        "VarlinkEncoder",
        "InterfaceNotFound",
        "MethodNotFound",
        "MethodNotImplemented",
        "InvalidParameter",
    ):
        assert getattr(error, name) is getattr(fastvarlink, name)
