"""Two versions of an interface: what breaks those who call by the old one, and those who read by it."""

from __future__ import annotations

import copy
import dataclasses
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastvarlink._core.schema import Checker
from fastvarlink.idl import Change, Impact, compare, parse, tree
from fastvarlink.idl.checkers import Checkers
from fastvarlink.idl.checks import problems

ROOT = Path(__file__).parents[2]
HEAD = "interface org.example.a\n"

# Whom a change breaks.
NOBODY, CALLERS, READERS, BOTH = "nobody", "callers", "readers", "both"


def broken(change: Change) -> str:
    callers, readers = (impact is Impact.BREAKING for impact in (change.callers, change.readers))
    assert change.breaking == (callers or readers)
    assert change.message.endswith(".")
    assert change.reason.endswith(".")
    if callers:
        return BOTH if readers else CALLERS
    return READERS if readers else NOBODY


def changes(old: str, new: str) -> list[tuple[str, str]]:
    """Of each change its path, and whom it breaks."""
    return [(change.path, broken(change)) for change in compare(parse(HEAD + old), parse(HEAD + new))]


TYPES = "type S (a: int)\ntype N (a: int)\ntype Empty ()\n"

# What a type becomes; what is different in it, below the place of the type; whom that breaks where callers
# send the type, and where readers receive it.
TYPE_CHANGES: dict[tuple[str, str], list[tuple[str, str, str]]] = {
    ("int", "int"): [],
    ("int", "string"): [("", CALLERS, READERS)],
    ("int", "float"): [("", CALLERS, READERS)],
    ("object", "any"): [("", CALLERS, READERS)],
    ("?int", "int"): [("", CALLERS, NOBODY)],
    ("int", "?int"): [("", NOBODY, READERS)],
    ("?int", "string"): [("", CALLERS, NOBODY), ("", CALLERS, READERS)],
    ("(a: int)", "(a, b)"): [("", CALLERS, READERS)],
    ("[]int", "[string]int"): [("", CALLERS, READERS)],
    ("[]int", "int"): [("", CALLERS, READERS)],
    ("[]int", "[]string"): [("[]", CALLERS, READERS)],
    ("[]?int", "[]int"): [("[]", CALLERS, NOBODY)],
    ("[string]int", "[string]?int"): [("[string]", NOBODY, READERS)],
    ("[string]()", "[string]int"): [("", CALLERS, READERS)],
    ("[string]()", "[string](a: ?int)"): [("", CALLERS, READERS)],
    ("[string]()", "[string]Empty"): [("[string]", NOBODY, NOBODY)],
    ("[string]Empty", "[string]()"): [("[string]", NOBODY, NOBODY)],
    ("(a: int)", "(a: int, b: ?int)"): [(".b", NOBODY, NOBODY)],
    ("(a: int)", "(a: int, b: int)"): [(".b", CALLERS, NOBODY)],
    ("(a: int, b: int)", "(a: int)"): [(".b", CALLERS, READERS)],
    ("(a: int, b: ?int)", "(a: int)"): [(".b", CALLERS, READERS)],
    ("(a: int, b: int)", "(b: int, a: int)"): [],
    ("(a: int, b: int)", "(a: int, c: int)"): [(".b", CALLERS, READERS), (".c", CALLERS, NOBODY)],
    ("(a: [](b: ?[string](c: int)))", "(a: [](b: ?[string](c: bool)))"): [
        (".a[].b[string].c", CALLERS, READERS)
    ],
    ("(a, b)", "(b, a)"): [],
    ("(a, b)", "(a, b, c)"): [("", NOBODY, READERS)],
    ("(a, b)", "(a)"): [("", CALLERS, NOBODY)],
    ("(a, b)", "(a, c)"): [("", CALLERS, NOBODY), ("", NOBODY, READERS)],
    ("(a: int)", "S"): [("", NOBODY, NOBODY)],
    ("S", "(a: int)"): [("", NOBODY, NOBODY)],
    ("?[]S", "?[](a: int)"): [("[]", NOBODY, NOBODY)],
    ("S", "?S"): [("", NOBODY, READERS)],
    ("S", "(a: int, b: int)"): [("", NOBODY, NOBODY), (".b", CALLERS, NOBODY)],
    ("S", "N"): [("", NOBODY, NOBODY)],
    ("(b: ?int)", "S"): [("", NOBODY, NOBODY), (".b", CALLERS, READERS), (".a", CALLERS, NOBODY)],
    ("S", "int"): [("", CALLERS, READERS)],
    ("(a: int)", "Empty"): [("", NOBODY, NOBODY), (".a", CALLERS, READERS)],
}


@pytest.mark.rule("I11")
@pytest.mark.parametrize(("old", "new"), TYPE_CHANGES)
def test_what_a_type_becomes(old: str, new: str) -> None:
    differences = TYPE_CHANGES[old, new]
    sent = [(f"M(p{below})", callers) for below, callers, _ in differences]
    received = [(f"M() -> p{below}", readers) for below, _, readers in differences]
    in_error = [(f"error E: p{below}", readers) for below, _, readers in differences]
    assert changes(f"{TYPES}method M(p: {old}) -> ()", f"{TYPES}method M(p: {new}) -> ()") == sent
    assert changes(f"{TYPES}method M() -> (p: {old})", f"{TYPES}method M() -> (p: {new})") == received
    assert changes(f"{TYPES}error E (p: {old})", f"{TYPES}error E (p: {new})") == in_error


@pytest.mark.rule("I11")
@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("a: int", "a: int, b: ?int", [("M(b)", NOBODY)]),
        ("a: int", "a: int, b: int", [("M(b)", CALLERS)]),
        ("a: int, b: int", "a: int", [("M(b)", CALLERS)]),
        ("a: int, b: int", "b: int", [("M(a)", CALLERS)]),
        ("a: int, b: int", "b: int, a: int", [("M()", NOBODY)]),
        ("a: int", "b: ?int, a: int", [("M(b)", NOBODY), ("M()", NOBODY)]),
    ],
)
def test_parameters(old: str, new: str, expected: list[tuple[str, str]]) -> None:
    assert changes(f"method M({old}) -> ()", f"method M({new}) -> ()") == expected


@pytest.mark.rule("I11")
@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("a: int", "a: int, b: ?int", [("M() -> b", NOBODY)]),
        ("a: int", "a: int, b: int", [("M() -> b", NOBODY)]),
        ("a: int, b: int", "a: int", [("M() -> b", READERS)]),
        ("a: int, b: int", "b: int, a: int", []),
    ],
)
def test_results(old: str, new: str, expected: list[tuple[str, str]]) -> None:
    assert changes(f"method M() -> ({old})", f"method M() -> ({new})") == expected


@pytest.mark.rule("I11")
def test_members() -> None:
    kept = "method Kept() -> ()"
    gone = f"type T (a: int)\nmethod M() -> ()\nerror E ()\n{kept}"
    assert changes(kept, gone) == [("type T", NOBODY), ("method M", NOBODY), ("error E", NOBODY)]
    assert changes(gone, kept) == [("type T", BOTH), ("method M", CALLERS), ("error E", READERS)]
    assert changes("type T (a: int)", "error T (a: int)") == [("type T", BOTH), ("error T", NOBODY)]


@pytest.mark.rule("I11")
def test_the_name_of_the_interface() -> None:
    old, new = (parse(f"interface org.example.{name}\nmethod M(a: int) -> ()") for name in "ab")
    (change,) = compare(old, new)
    assert (change.path, broken(change)) == ("interface", BOTH)


@pytest.mark.rule("I11")
def test_a_change_says_what_and_why() -> None:
    old = parse(f"{HEAD}type Color (red, green)\nmethod Paint(color: Color) -> (before: ?Color)")
    new = parse(f"{HEAD}type Color (red, blue)\nmethod Paint(color: Color) -> (before: ?Color)")
    removed, added = compare(old, new)
    assert removed == Change(
        "type Color",
        "The value green was removed.",
        "Callers may send it. Readers do not meet it any more.",
        Impact.BREAKING,
        Impact.COMPATIBLE,
    )
    assert str(added) == "type Color: The value blue is new. Callers do not send it. Readers do not know it."


@pytest.mark.rule("I11")
@pytest.mark.parametrize(
    ("uses", "broken_by"),
    [
        ("method M(t: T) -> ()", CALLERS),
        ("method M() -> (t: ?[]T)", READERS),
        ("error E (t: [string]T)", READERS),
        ("method M(t: T, u: (t: T)) -> (t: T)\nerror E (t: T)", BOTH),
        ("type U (t: T)\nmethod M(u: U) -> ()", CALLERS),
        ("type U (t: T)\nmethod M() -> (u: U)", READERS),
        ("type U (t: T)\nmethod M() -> ()", BOTH),
        # A type that nobody uses says nothing about one that is used.
        ("type U (t: T)\nmethod M(t: T) -> ()", CALLERS),
        ("method M() -> ()", BOTH),
    ],
)
def test_a_declared_type_is_judged_by_its_uses_and_reported_once(uses: str, broken_by: str) -> None:
    old, new = (f"type T (a: (b: {type_}))\n{uses}" for type_ in ("int", "bool"))
    assert changes(old, new) == [("type T: a.b", broken_by)]


@pytest.mark.rule("I11")
def test_a_type_that_is_used_by_another_one_in_its_place() -> None:
    old = "type Old (a: int, b: ?Old)\nmethod M(x: Old) -> (y: Old)"
    new = "type New (a: int, b: ?New, c: int)\nmethod M(x: New) -> (y: New)"
    assert changes(old, new) == [
        ("type Old", NOBODY),
        ("type Old/New: b", NOBODY),
        ("type Old/New: c", CALLERS),
        ("M(x)", NOBODY),
        ("M() -> y", NOBODY),
        ("type New", NOBODY),
    ]


@pytest.mark.rule("I11")
def test_types_that_contain_themselves() -> None:
    old = "type A (b: ?B)\ntype B (a: []A, x: int)\nmethod M(a: A) -> ()"
    assert changes(old, old.replace("x: int", "x: ?int")) == [("type B: x", NOBODY)]
    # Written out on one side: it ends where the other side has a name again.
    written_out = "type A (b: ?(a: []A, x: bool))\nmethod M(a: A) -> ()"
    assert changes(old, written_out) == [("type A: b", NOBODY), ("type A: b.x", CALLERS), ("type B", NOBODY)]


@pytest.mark.rule("I11")
def test_the_order_is_that_of_the_old_text() -> None:
    old = "error E (a: int)\nmethod M(b: int, c: int) -> ()\ntype T (d: int)\nmethod N() -> ()"
    new = "method O() -> ()\ntype T (e: int)\nmethod M(a: int, c: bool) -> ()\nerror E ()"
    assert [path for path, _ in changes(old, new)] == [
        "error E: a",
        "M(b)",
        "M(c)",
        "M(a)",
        "M()",
        "type T: d",
        "type T: e",
        "method N",
        "method O",
    ]


@pytest.mark.rule("I11")
def test_documentation_and_comments_are_no_differences() -> None:
    old = "# a\ntype T (a: [string](), b: (c, d))\n# b\nmethod M(t: T) -> ()"
    new = "# c\ntype T (# x\na: [string](\n# y\n), b: ( # z\nc, d # e\n)) # f\nmethod M(t: T) -> ()\n# g"
    assert parse(HEAD + old) != parse(HEAD + new)
    assert changes(old, new) == []


@pytest.mark.rule("I11")
def test_long_chains_and_deep_types() -> None:
    def chain(end: str) -> str:
        deep = "[](a: " * 31 + end + ")" * 31
        links = "".join(f"type T{i} (a: ?T{i + 1})\n" for i in range(5000))
        return f"{links}type T5000 (a: {deep})\nmethod M(a: T0) -> ()"

    assert changes(chain("int"), chain("bool")) == [("type T5000: a" + "[].a" * 31, CALLERS)]


@pytest.mark.rule("I11")
def test_names_that_are_not_declared() -> None:
    bad = dataclasses.replace(
        parse(f"{HEAD}method M() -> ()"),
        members=(tree.Method("M", tree.Struct((tree.Field("a", tree.Named("Nope")),)), tree.Struct(())),),
    )
    with pytest.raises(LookupError, match="Nope"):
        compare(bad, bad)


@pytest.mark.rule("I11")
@pytest.mark.parametrize("path", sorted(ROOT.glob("examples/*.varlink")), ids=lambda path: path.name)
def test_a_definition_is_like_itself(path: Path) -> None:
    interface = parse(path.read_bytes())
    assert compare(interface, interface) == []


# ---- versions made at random, and values that are valid under one of them

NAMES = ["A", "B"]
enums = st.lists(st.sampled_from("xyz"), unique=True, min_size=1).map(
    lambda names: tree.Enum(tuple(map(tree.EnumValue, names)))
)


def nullable(of: tree.Type) -> tree.Type:
    return of if isinstance(of, tree.Nullable) else tree.Nullable(of)


def structs(element: st.SearchStrategy[tree.Type]) -> st.SearchStrategy[tree.Struct]:
    return st.dictionaries(st.sampled_from("abc"), element, max_size=3).map(
        lambda fields: tree.Struct(tuple(tree.Field(*item) for item in fields.items()))
    )


def containers(element: st.SearchStrategy[tree.Type]) -> st.SearchStrategy[tree.Type]:
    return element.map(tree.Array) | element.map(tree.Map) | element.map(nullable) | structs(element)


plain = st.sampled_from([*tree.Primitive]) | st.sampled_from(NAMES).map(tree.Named) | enums
types = st.recursive(plain, containers, max_leaves=4)


class Version(NamedTuple):
    """An interface that uses the struct as the parameters or the result of a method, or with an error."""

    interface: tree.Interface
    declared: dict[str, tree.Type]
    struct: tree.Struct

    @property
    def checker(self) -> Checker:
        return Checkers(self.interface).of(self.struct)


def version(which: str, declared: Sequence[tree.Type], struct: tree.Struct) -> Version:
    empty = tree.Struct(())
    member: tree.Member = tree.Error("E", struct)
    if which != "error":
        member = tree.Method("M", struct, empty) if which == "input" else tree.Method("M", empty, struct)
    members = (*map(tree.TypeDeclaration, NAMES, declared), member)
    return Version(
        tree.Interface("org.example.a", "", members), dict(zip(NAMES, declared, strict=True)), struct
    )


@st.composite
def versions(draw: st.DrawFn, which: str) -> tuple[Version, Version]:
    """An interface, and one made of it by a change or two."""
    declared = draw(st.lists(structs(types) | enums, min_size=len(NAMES), max_size=len(NAMES)))
    struct = draw(structs(types))
    left = draw(st.integers(1, 2))

    def stays() -> bool:
        nonlocal left
        change = left > 0 and draw(st.integers(0, 3)) == 0
        left -= change
        return not change

    def changed(of: Any) -> Any:
        match of:
            case tree.Nullable(element):
                return nullable(changed(element)) if stays() else element
            case tree.Array(element) | tree.Map(element):
                return type(of)(changed(element)) if stays() else draw(types)
            case tree.Struct(fields):
                kept = [tree.Field(each.name, changed(each.type)) for each in fields if stays()]
                if not stays():
                    kept.append(tree.Field(draw(st.sampled_from("de")), draw(types.map(nullable) | types)))
                return tree.Struct(tuple(kept))
            case tree.Enum(values):
                kept_values = tuple(each for each in values if stays()) or values
                return tree.Enum(kept_values if stays() else (*kept_values, tree.EnumValue("w")))
            case tree.Named(name) if not stays():
                return draw(
                    st.sampled_from([nullable(of), declared[NAMES.index(name)], *map(tree.Named, NAMES)])
                )
        return of if stays() else draw(st.just(nullable(of)) | types)

    new = version(which, [changed(each) for each in declared], changed(struct))
    return version(which, declared, struct), new


def possible(*which: str) -> st.SearchStrategy[tuple[Version, Version]]:
    pairs = st.sampled_from(which).flatmap(versions)
    return pairs.filter(lambda pair: not any(problems(each.interface) for each in pair))


def value_of(
    draw: Callable[[st.SearchStrategy[Any]], Any],
    of: tree.Type,
    declared: dict[str, tree.Type],
    depth: int = 0,
) -> Any:
    """A value of a type, as it comes from JSON."""
    count = 0 if depth > 6 else draw(st.integers(0, 2))
    match of:
        case tree.Nullable(element):
            return value_of(draw, element, declared, depth + 1) if count else None
        case tree.Array(element):
            return [value_of(draw, element, declared, depth + 1) for _ in range(count)]
        case tree.Map(element):
            return {key: value_of(draw, element, declared, depth + 1) for key in "kl"[:count]}
        case tree.Struct(fields):
            values = {each.name: value_of(draw, each.type, declared, depth + 1) for each in fields}
            return {name: value for name, value in values.items() if value is not None or draw(st.booleans())}
        case tree.Enum(values):
            return draw(st.sampled_from([value.name for value in values]))
        case tree.Named(name):
            return value_of(draw, declared[name], declared, depth + 1)
    return draw(st.sampled_from(VALUES[of]))


VALUES: dict[tree.Type, list[Any]] = {
    tree.Primitive.BOOL: [True, False],
    tree.Primitive.INT: [0, -1],
    tree.Primitive.FLOAT: [0.5, 1],
    tree.Primitive.STRING: ["", "x"],
    tree.Primitive.OBJECT: [{}, {"a": None}],
    tree.Primitive.ANY: [{}, [], "x", 0, True],
}


@pytest.mark.rule("I11")
@given(possible("input"), st.data())
def test_parameters_of_old_callers_are_accepted_when_nothing_breaks_them(
    pair: tuple[Version, Version], data: st.DataObject
) -> None:
    old, new = pair
    if any(change.callers is Impact.BREAKING for change in compare(old.interface, new.interface)):
        return
    parameters = value_of(data.draw, old.struct, old.declared)
    old.checker.take(copy.deepcopy(parameters))
    new.checker.take(parameters)


@pytest.mark.rule("I11")
@given(possible("output", "error"), st.data())
def test_old_readers_understand_new_replies_when_nothing_breaks_them(
    pair: tuple[Version, Version], data: st.DataObject
) -> None:
    old, new = pair
    if any(change.readers is Impact.BREAKING for change in compare(old.interface, new.interface)):
        return
    parameters = value_of(data.draw, new.struct, new.declared)
    new.checker.give(parameters)
    # give() passes over what is not declared, as readers do, and misses what is.
    old.checker.give(parameters)


def mirrored(path: str) -> str:
    """A path as it is when the versions are exchanged."""
    return re.sub(r"^type (\w+)/(\w+)", r"type \2/\1", path)


@pytest.mark.rule("I11")
@given(possible("input", "output", "error"))
def test_what_is_new_one_way_is_removed_the_other_way(pair: tuple[Version, Version]) -> None:
    old, new = (each.interface for each in pair)
    there, back = compare(old, new), compare(new, old)
    assert compare(old, old) == compare(new, new) == []
    # The order of parameters may depend on the direction.
    assert sorted(change.path for change in there if change.path != "M()") == sorted(
        mirrored(change.path) for change in back if change.path != "M()"
    )
    for ours, theirs in ((there, back), (back, there)):
        removed = {mirrored(change.path) for change in ours if change.message == "The field was removed."}
        added = {change.path for change in theirs if change.message.startswith("The field is new")}
        assert removed == added
