"""The nodes of syntax trees: immutable values, whatever a program does with them."""

from __future__ import annotations

import copy
import dataclasses
import pickle

import pytest

from fastvarlink._core import names
from fastvarlink.idl import parse, tree

TEXT = """# doc
interface a.b # r
# t
type T (a: ?[]T, b: [string](c, d), e: () # f
)
method F() -> ()
error E ()
"""


def test_trees_are_compared_by_what_they_say() -> None:
    assert parse(TEXT) == parse(TEXT.replace(" ", "  ").replace("#  ", "# "))
    assert hash(parse(TEXT)) == hash(parse(TEXT))
    assert parse(TEXT) != parse(TEXT.replace("# t", "# u"))
    assert parse(TEXT) != parse(TEXT.replace("?[]T", "[]?T"))
    assert len({tree.Array(tree.Primitive.INT), tree.Map(tree.Primitive.INT), tree.Primitive.INT}) == 3


def test_trees_are_copied_and_pickled() -> None:
    parsed = parse(TEXT)
    for again in (copy.deepcopy(parsed), pickle.loads(pickle.dumps(parsed))):
        assert again == parsed
        assert again.members[0].at == parsed.members[0].at
    assert dataclasses.replace(parsed, name="c.d").members is parsed.members


def test_nodes_do_not_change() -> None:
    with pytest.raises(AttributeError):
        parse(TEXT).name = "c.d"  # type: ignore[misc]


def test_nodes_are_taken_apart() -> None:
    match parse(TEXT).members[0]:
        case tree.TypeDeclaration(
            "T", tree.Struct((tree.Field("a", tree.Nullable(tree.Array(of))), *_)), "t"
        ):
            assert of == tree.Named("T")
        case other:
            pytest.fail(f"{other} was not taken apart.")


def test_a_set_is_a_map_to_nothing() -> None:
    empty = tree.Struct(())
    assert tree.is_set(tree.Map(empty))
    assert not tree.is_set(tree.Array(empty))
    assert not tree.is_set(tree.Map(tree.Struct((tree.Field("a", empty),))))


@pytest.mark.parametrize(
    "member",
    [
        None,
        tree.Method("F", None, None),  # type: ignore[arg-type]
        tree.Error("E", None),  # type: ignore[arg-type]
        tree.Error("E", tree.Struct(None)),  # type: ignore[arg-type]
        tree.Error("E", tree.Struct((None,))),  # type: ignore[arg-type]
        tree.TypeDeclaration("T", tree.Enum((None,))),  # type: ignore[arg-type]
    ],
)
def test_what_is_missing_in_a_tree_brings_nothing_down(member: tree.Member) -> None:
    with pytest.raises((TypeError, AttributeError)):
        names.check(tree.Interface("a.b", "", (member,)))


def test_a_chain_of_any_length_is_freed() -> None:
    of: tree.Type = tree.Primitive.INT
    for index in range(300_000):
        of = (tree.Array, tree.Map, tree.Nullable)[index % 3](of)
    del of
