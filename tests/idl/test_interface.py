"""Interface: both ways to make one, the tree, and filter_params."""

from __future__ import annotations

import math
from collections import OrderedDict
from types import SimpleNamespace
from typing import Any

import pytest

from fastvarlink.error import InvalidParameter, MethodNotFound
from fastvarlink.idl import IdlSyntaxError, Interface, parse, tree
from fastvarlink.idl.scanner import _Alias, _Method, _Object

TEXT = """# About.
interface org.example.test

# A type.
type T (
  b: bool, i: int, f: float, s: string, o: object, set: [string](),
  m: ?int, a: []int, d: [string]int, e: (x, y), z: (q: int)
)
type Node (next: ?Node)
# A method.
method F(t: ?T, n: ?Node, i: int) -> (t: [](q: int))
error E (reason: string)
"""


def test_both_ways_give_one_tree() -> None:
    assert Interface(TEXT).tree == Interface.from_specification(TEXT).tree == parse(TEXT)


def test_both_ways_give_the_same_members() -> None:
    compat, specified = Interface(TEXT), Interface.from_specification(TEXT)
    assert isinstance(specified.members, OrderedDict)
    assert list(specified.members) == list(compat.members)
    assert specified.members is specified.members
    for name in ("name", "description"):
        assert getattr(specified, name) == getattr(compat, name)
    ours, theirs = specified.get_method("F"), compat.get_method("F")
    assert ours.signature == theirs.signature == "F(t: ?T, n: ?Node, i: int) -> (t: [](q: int))"
    assert ours.doc == "A method."
    assert theirs.doc == " A method."
    assert specified.get_description() == TEXT


def test_the_two_grammars_differ() -> None:
    wide = "interface co9.example\r\ntype T (a: any, e: (one))\r\n"
    with pytest.raises(SyntaxError):
        Interface(wide)
    specified = Interface.from_specification(wide)
    alias: Any = specified.members["T"]
    assert isinstance(alias.type.fields["a"], _Object)
    loose = "interface a.b\ntype T int\nmethod F(x, y) -> (t: T)\nerror E int"
    with pytest.raises(IdlSyntaxError):
        Interface.from_specification(loose)
    declared, method, error = Interface(loose).tree.members
    assert declared == tree.TypeDeclaration("T", tree.Primitive.INT)
    assert isinstance(method, tree.Method)
    assert method.input == tree.Struct(())
    assert error == tree.Error("E", tree.Struct(()))


def test_the_tree_is_made_of_members_that_were_replaced() -> None:
    interface = Interface.from_specification(TEXT)
    interface.members = OrderedDict(T=_Alias("T", 0, " d"))
    assert interface.tree.members == (tree.TypeDeclaration("T", tree.Primitive.INT, "d"),)


def test_get_method() -> None:
    interface = Interface(TEXT)
    assert isinstance(interface.get_method("F"), _Method)
    for name in ("T", "E", "Nope"):
        with pytest.raises(MethodNotFound) as caught:
            interface.get_method(name)
        assert caught.value.parameters() == {"method": name}


def test_subclasses() -> None:
    class Mine(Interface):
        def __init__(self, text: str, extra: int = 0) -> None:
            super().__init__(text)
            self.extra = extra

    assert Mine(TEXT, 3).get_method("F").name == "F"
    assert type(Mine.from_specification(TEXT)) is Mine


@pytest.fixture(params=[Interface, Interface.from_specification])
def interface(request: pytest.FixtureRequest) -> Interface:
    made: Interface = request.param(TEXT)
    return made


def filtered(interface: Interface, field: str, value: Any) -> Any:
    alias: Any = interface.members["T"]
    return interface.filter_params("p", alias.type.fields[field], False, value, None)


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("b", True, True),
        ("b", 1, 1),
        ("i", True, 1),
        ("i", 1.6, 2),
        ("i", -2.0, -2),
        ("i", 2**70, 2**70),
        ("f", 1, 1.0),
        ("s", "x", "x"),
        ("o", [1, None], [1, None]),
        ("set", ["x"], {"x"}),
        ("set", {"x": {}}, {"x"}),
        ("m", None, None),
        ("m", 3, 3),
        ("a", None, []),
        ("a", (1, 2.0), [1, 2]),
        ("d", None, {}),
        ("d", {"k": 1.0}, {"k": 1}),
        ("e", "y", "y"),
        ("z", None, {}),
        ("z", [], {}),
        ("z", {"q": 1, "unknown": 2}, {"q": 1}),
        ("z", SimpleNamespace(q=1), {"q": 1}),
        ("z", (5,), {"q": 5}),
    ],
)
def test_filter_params(interface: Interface, field: str, value: Any, expected: Any) -> None:
    result = filtered(interface, field, value)
    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize(
    ("field", "value", "path"),
    [
        ("b", "x", "p"),
        ("i", "5", "p"),
        ("i", None, "p"),
        ("i", math.nan, "p"),
        ("f", 10**400, "p"),
        ("s", 1, "p"),
        ("set", None, "p"),
        ("set", "abc", "p"),
        ("set", [1], "p"),
        ("a", "abc", "p"),
        ("a", 1, "p"),
        ("a", [1, "x"], "p[]"),
        ("d", [1], "p"),
        ("d", {1: 1}, "p"),
        ("d", {"k": "x"}, "p[k]"),
        ("e", "z", "p"),
        ("z", "x", "p"),
        ("z", [1], "p"),
        ("z", {"q": "x"}, "p.q"),
    ],
)
def test_filter_params_names_what_does_not_fit(
    interface: Interface, field: str, value: Any, path: str
) -> None:
    with pytest.raises(InvalidParameter) as caught:
        filtered(interface, field, value)
    assert caught.value.parameters() == {"parameter": path}


def test_filter_params_leaves_the_given_mapping_alone(interface: Interface) -> None:
    given = {"k": 1.6}
    assert filtered(interface, "d", given) == {"k": 2}
    assert given == {"k": 1.6}


def test_positions_then_keywords(interface: Interface) -> None:
    method = interface.get_method("F")

    def call(*args: Any, namespaced: bool = False, **kwargs: Any) -> Any:
        return interface.filter_params("c", method.in_type, namespaced, args, kwargs)

    assert call() == {}
    assert call(None, {"next": {"next": None}}, i=3) == {"n": {"next": {}}, "i": 3}
    assert call(None, None, 4, "one too many", unknown=1) == {"i": 4}
    assert call(n={"next": None}, namespaced=True) == SimpleNamespace(n=SimpleNamespace())
    with pytest.raises(InvalidParameter, match=r"c\.i"):
        call(i="x")


def test_an_undeclared_type_fits_nothing() -> None:
    interface = Interface("interface a.b\nmethod F(x: Nope) -> ()")
    with pytest.raises(InvalidParameter):
        interface.filter_params("c", interface.get_method("F").in_type, False, (1,), {})
