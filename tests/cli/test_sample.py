"""Values that are made from types alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fastvarlink.cli.sample import sample
from fastvarlink.idl.parser import parse
from fastvarlink.idl.tree import Method, Struct

from .conftest import EXAMPLES


def result_of(text: str) -> object:
    """A sample of what the first method of the definition returns."""
    interface = parse(f"interface org.example.s\n{text}\n")
    (method,) = (member for member in interface.members if isinstance(member, Method))
    return sample(interface, method.output)


def test_each_type_has_a_value() -> None:
    assert result_of(
        "type Colour (red, green)\n"
        "method M() -> (b: bool, i: int, f: float, name: string, o: object, colour: Colour, maybe: ?string,\n"
        "  several: []string, by: [string]int, all: [string](), inner: (x: ?int), one: (a, b))"
    ) == {
        "b": True,
        "i": 1,
        "f": 1.5,
        "name": "name",
        "o": {},
        "colour": "red",
        "maybe": "maybe",
        "several": ["several"],
        "by": {"key": 1},
        "all": {"key": {}},
        "inner": {"x": 1},
        "one": "a",
    }


def test_a_type_within_itself_ends() -> None:
    assert result_of(
        "type Tree (name: string, left: ?Tree, children: []Tree, by: [string]Tree)\n"
        "method M() -> (tree: Tree)"
    ) == {"tree": {"name": "name", "left": None, "children": [], "by": {}}}


def test_the_end_may_be_further_out() -> None:
    assert result_of(
        "type A (b: ?B)\ntype B (c: C)\ntype C (b: B2)\ntype B2 (a: A)\nmethod M() -> (a: A)"
    ) == {"a": {"b": None}}


def test_what_would_be_too_large_is_refused() -> None:
    doubling = "\n".join(f"type T{i} (a: T{i + 1}, b: T{i + 1})" for i in range(20))
    with pytest.raises(ValueError, match="too many parts"):
        result_of(f"{doubling}\ntype T20 (x: int)\nmethod M() -> (t: T0)")
    deep = "\n".join(f"type T{i} (a: T{i + 1})" for i in range(2000))
    with pytest.raises(ValueError, match="too many levels"):
        result_of(f"{deep}\ntype T2000 (x: int)\nmethod M() -> (t: T0)")


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.varlink")), ids=lambda path: path.name)
def test_samples_are_json_and_the_same_each_time(path: Path) -> None:
    interface = parse(path.read_text())
    for member in interface.members:
        if isinstance(member, Method):
            for struct in (member.input, member.output):
                assert isinstance(struct, Struct)
                assert json.dumps(sample(interface, struct)) == json.dumps(sample(interface, struct))
