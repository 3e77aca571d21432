"""Random definitions, as trees that can be printed."""

from __future__ import annotations

import string
from collections.abc import Sequence
from typing import TypeAlias

from hypothesis import strategies as st

from fastvarlink.idl import tree

__all__ = ["field_names", "interfaces", "member_names"]

_ALNUM = string.ascii_letters + string.digits

interface_names = st.sampled_from(["a.b", "org.example.ping", "A-b.0.c--d9", "x.1", "io.systemd.Z"])
member_names = st.builds(str.__add__, st.sampled_from(string.ascii_uppercase), st.text(_ALNUM, max_size=6))
# Keywords of the language, and of others, are names of fields like any.
field_names = st.sampled_from(
    [
        "a",
        "b",
        "Cd",
        "e_f",
        "g9_0H",
        "type",
        "method",
        "error",
        "interface",
        "int",
        "any",
        "class",
        "None",
        "self",
    ]
) | st.lists(st.text(_ALNUM, min_size=1, max_size=4), min_size=1, max_size=3).map(
    # The first letter of a name is no digit.
    lambda words: "x" + "_".join(words)
)

# What one line of a comment may hold: all but line ends, NUL and halves of characters.
_lines = st.text(
    st.characters(codec="utf-8", exclude_characters="\n\r\u2028\u2029\0"), max_size=8
) | st.sampled_from([" ", "#", "# x", "\ufeff", "\u00a0x", "x\t ", "\x85", "\x1b", "type T ()", ") -> ("])
_docs = st.lists(_lines, max_size=3).map("\n".join)
_blocks = st.lists(st.lists(_lines, min_size=1, max_size=2).map("\n".join), max_size=2).map(tuple)

# The documentation, the blocks above and the remark of one place. Most places have none: otherwise no type
# would stand on one line.
_Around: TypeAlias = tuple[str, tuple[str, ...], str]
_BARE: _Around = ("", (), "")
_around = st.one_of(st.just(_BARE), st.just(_BARE), st.just(_BARE), st.tuples(_docs, _blocks, _lines))
_closing = st.one_of(st.just(()), st.just(()), st.just(()), _blocks)

_primitives: st.SearchStrategy[tree.Primitive] = st.sampled_from(tree.Primitive)
_simple = st.sampled_from(["primitive", "primitive", "named"])
_any_kind = st.sampled_from(
    ["primitive", "primitive", "named", "named", "array", "map", "nullable", "enum", "struct"]
)
_fields = st.lists(field_names, max_size=3, unique=True)
_values = st.lists(field_names, min_size=1, max_size=3, unique=True)


class _Maker:
    """Makes the pieces of one interface."""

    def __init__(self, draw: st.DrawFn, comments: bool) -> None:
        self.draw = draw
        self.comments = comments

    def around(self) -> _Around:
        return self.draw(_around) if self.comments else _BARE

    def closing(self) -> tuple[str, ...]:
        return self.draw(_closing) if self.comments else ()

    def enum(self) -> tree.Enum:
        values = (tree.EnumValue(name, *self.around()) for name in self.draw(_values))
        return tree.Enum(tuple(values), self.closing())

    def struct(self, held: Sequence[str], known: Sequence[str], depth: int) -> tree.Struct:
        fields = (
            tree.Field(name, self.type(held, known, depth), *self.around()) for name in self.draw(_fields)
        )
        return tree.Struct(tuple(fields), self.closing())

    def type(self, held: Sequence[str], known: Sequence[str], depth: int) -> tree.Type:
        """A type that may hold those named ``held``, and those ``known`` where that leaves a way out."""
        kind = self.draw(_any_kind if depth else _simple)
        if kind == "struct":
            return self.struct(held, known, depth - 1)
        if kind == "enum":
            return self.enum()
        if kind == "named" and held:
            return tree.Named(self.draw(st.sampled_from(held)))
        if kind in {"primitive", "named"}:
            return self.draw(_primitives)
        element = self.type(known, known, depth - 1)
        if kind == "array":
            return tree.Array(element)
        if kind == "map":
            return tree.Map(element)
        return element if isinstance(element, tree.Nullable) else tree.Nullable(element)

    def member(self, name: str, kind: str, held: Sequence[str], known: Sequence[str]) -> tree.Member:
        if kind == "method":
            received = self.struct(known, known, 2)
            return tree.Method(name, received, self.struct(known, known, 2), *self.around())
        if kind == "error":
            return tree.Error(name, self.struct(known, known, 2), *self.around())
        of = self.enum() if kind == "enum" else self.struct(held, known, 3)
        return tree.TypeDeclaration(name, of, *self.around())


_members = st.lists(
    st.tuples(member_names, st.sampled_from(["method", "error", "enum", "struct", "struct"])),
    min_size=1,
    max_size=5,
    unique_by=lambda member: member[0],
)


@st.composite
def interfaces(draw: st.DrawFn, *, comments: bool = True) -> tree.Interface:
    """Valid interfaces: all kinds of types, inline and declared, recursive ones with a way out among them.

    Without ``comments`` they have neither documentation nor any other comment.
    """
    make = _Maker(draw, comments)
    planned = draw(_members)
    known = tuple(name for name, kind in planned if kind in {"enum", "struct"})
    # A type holds those alone that come before it here: so none holds itself with no way out.
    members = [
        make.member(name, kind, known[: known.index(name)] if name in known else known, known)
        for name, kind in planned
    ]
    doc, blocks, remark = make.around()
    ordered = tuple(draw(st.permutations(members)))
    return tree.Interface(draw(interface_names), doc, ordered, blocks, remark, make.closing())
