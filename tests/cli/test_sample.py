"""Example values are values of their types."""

from __future__ import annotations

from pathlib import Path

import pytest

from fastvarlink import idl
from fastvarlink.cli.sample import sample
from fastvarlink.idl import tree
from fastvarlink.idl.checkers import Checkers

from .conftest import EXAMPLES

TEXT = """interface org.example.samples
type Node (name: string, next: ?Node, below: []Node, by_name: [string]Node)
type Colour (red, green)
method M(
  a: bool, b: int, c: float, d: string, e: object, f: any, g: Colour, h: []Colour, i: [string]int,
  j: [string](), k: ?int, l: (x: string, y: [](z: string)), m: Node, n: ()
) -> ()
"""


def test_a_sample_of_each_type() -> None:
    interface = idl.parse(TEXT)
    (method,) = (member for member in interface.members if isinstance(member, tree.Method))
    whole = {
        "a": True,
        "b": 1,
        "c": 1.5,
        "d": "d",
        "e": {},
        "f": {},
        "g": "red",
        "h": ["red"],
        "i": {"key": 1},
        "j": {"key": {}},
        "k": 1,
        "l": {"x": "x", "y": [{"z": "z"}]},
        "m": {"name": "name", "next": None, "below": [], "by_name": {}},
        "n": {},
    }
    assert sample(interface, method.input) == whole
    least = {**whole, "m": {"name": "name", "below": [], "by_name": {}}}
    del least["k"]
    assert sample(interface, method.input, whole=False) == least
    assert sample(interface, tree.Primitive.STRING) == "text"


def test_a_type_too_large_for_an_example() -> None:
    doubling = "".join(f"type T{i} (a: T{i + 1}, b: T{i + 1})\n" for i in range(20))
    interface = idl.parse(f"interface org.example.large\n{doubling}type T20 (a: int)\nmethod M() -> ()\n")
    with pytest.raises(ValueError, match="too many parts"):
        sample(interface, tree.Named("T0"))


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.varlink")), ids=lambda path: path.name)
def test_samples_pass_the_checkers(path: Path) -> None:
    interface = idl.parse(path.read_text())
    methods = [member for member in interface.members if isinstance(member, tree.Method)]
    for of in (of for method in methods for of in (method.input, method.output)):
        for whole in (True, False):
            assert Checkers(interface).of(of).take(sample(interface, of, whole=whole)) is not None


def test_the_end_of_a_type_may_be_further_out() -> None:
    text = "type A (b: ?B)\ntype B (c: C)\ntype C (b: B2)\ntype B2 (a: A)\nmethod M() -> (a: A)"
    interface = idl.parse(f"interface org.example.ends\n{text}\n")
    assert sample(interface, tree.Named("A")) == {"b": None}


def test_a_type_too_deep_for_an_example() -> None:
    deep = "".join(f"type T{i} (a: T{i + 1})\n" for i in range(2000))
    interface = idl.parse(f"interface org.example.deep\n{deep}type T2000 (a: int)\nmethod M() -> ()\n")
    with pytest.raises(ValueError, match="too many levels"):
        sample(interface, tree.Named("T0"))
