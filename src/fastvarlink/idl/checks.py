"""What must be true of a definition beyond its grammar.

The checks look at a tree, whether it was read from a text or made by a program.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import NamedTuple

from fastvarlink._core import names
from fastvarlink.idl import tree
from fastvarlink.idl.faults import quoted

__all__ = ["Problem", "problems", "problems_of_names"]

MAX_DEPTH = 64
_MOST = 100  # problems; a large text of nothing else shall not take long to explain

_is_interface_name = re.compile(
    r"[A-Za-z][A-Za-z0-9]*(?:-+[A-Za-z0-9]+)*(?:\.[A-Za-z0-9]+(?:-+[A-Za-z0-9]+)*)+"
).fullmatch
_is_member_name = re.compile(r"[A-Z][A-Za-z0-9]*").fullmatch
_is_field_name = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)*").fullmatch
_is_comment_line = re.compile("[^\n\r\u2028\u2029\0\ud800-\udfff]*").fullmatch


class Problem(NamedTuple):
    """What is wrong: ``at`` is the offset of the place in the text, -1 if there is none.

    ``missing`` is the name of a type that would have to be declared.
    """

    at: int
    message: str
    hint: str = ""
    missing: str = ""


def problems(interface: tree.Interface) -> list[Problem]:
    """What is wrong with a tree whose names are well formed.

    Members or fields of the same name, names that are not declared, structs that contain themselves with no
    way out (rules I3 and I4).
    """
    return [_problem(interface, *each) for each in names.check(interface)[:_MOST]]


def _problem(interface: tree.Interface, at: int, which: str, name: str) -> Problem:
    if which == "second member":
        return Problem(
            at,
            f"Found a second declaration of {quoted(name)}; types, methods and errors need different names.",
        )
    if which == "contains itself":
        return Problem(
            at,
            f"{quoted(name)} contains itself, so no value of it can exist.",
            "Make one field on the way nullable, an array or a map.",
        )
    if which == "not a type":
        (member, *_) = (member for member in interface.members if member.name == name)
        kind = "a method" if isinstance(member, tree.Method) else "an error"
        message = f"Found the name of {kind}, {quoted(name)}, expected a type."
        return Problem(at, message, "Only what 'type' declares can be used as a type.")
    if which == "undeclared":
        message = f"Found {quoted(name)}, which this interface does not declare."
        return Problem(at, message, _hint_for_undeclared(interface, name), name)
    what, where = ("field", "struct") if which == "second field" else ("value", "enum")
    return Problem(at, f"Found a second {what} {quoted(name)} in one {where}.")


def _hint_for_undeclared(interface: tree.Interface, name: str) -> str:
    if name.lower() in {primitive.value for primitive in tree.Primitive}:
        return f"Did you mean {name.lower()}?"
    types = [member.name for member in interface.members if isinstance(member, tree.TypeDeclaration)]
    # Comparing costs time, and the text may come from a stranger.
    close = get_close_matches(name, types, 1) if len(name) < 100 and len(types) < 1000 else []
    return f"Did you mean {close[0]}?" if close else f"Declare it: type {name[:60]} (...)."


def problems_of_names(interface: tree.Interface) -> list[Problem]:
    """What is wrong with the pieces of a tree that was made by a program, so that no text could say it.

    Names that are no names, comments with line ends in a line, a nullable of a nullable, types declared as
    what cannot be declared, types nested too deep (rules I1, I2, I5).
    """
    return list(_Pieces().interface(interface))


class _Pieces:
    def interface(self, interface: tree.Interface) -> Iterator[Problem]:
        if not _is_interface_name(interface.name):
            yield Problem(interface.at, f"{quoted(interface.name)} is no interface name like org.example.name.")
        yield from self.comments(interface, interface.closing)
        if not interface.members:
            yield Problem(interface.at, "The interface declares nothing.")
        for member in interface.members:
            if not _is_member_name(member.name):
                message = f"{quoted(member.name)} is no name of letters and digits that begins with a capital."
                yield Problem(member.at, message)
            yield from self.comments(member)
            if isinstance(member, tree.Method):
                yield from self.type(member.input, 0)
                yield from self.type(member.output, 0)
                continue
            if not isinstance(member.type, tree.Struct | tree.Enum):
                message = f"{quoted(member.name)} is declared as neither a struct nor an enum."
                yield Problem(member.at, message)
            yield from self.type(member.type, 0)

    def comments(
        self,
        node: tree.Interface | tree.Member | tree.Field | tree.EnumValue,
        closing: Iterable[str] = (),
    ) -> Iterator[Problem]:
        lines = [node.remark, *node.doc.split("\n")]
        for block in (*node.comments, *closing):
            lines += block.split("\n")
        if not all(map(_is_comment_line, lines)):
            message = f"A comment of {quoted(node.name)} has a line end within a line, a NUL, or half a character."
            yield Problem(node.at, message)

    def type(self, of: tree.Type, depth: int) -> Iterator[Problem]:
        while isinstance(of, tree.Array | tree.Map | tree.Nullable):
            depth += 1
            if isinstance(of, tree.Nullable) and isinstance(of.element, tree.Nullable):
                yield Problem(of.at, "A nullable type is made nullable once more.")
            of = of.element
        depth += isinstance(of, tree.Struct | tree.Enum)
        if depth > MAX_DEPTH:
            yield Problem(-1, f"Types are nested more than {MAX_DEPTH} deep.")
            return
        parts: tuple[tree.Field | tree.EnumValue, ...] = ()
        if isinstance(of, tree.Struct):
            parts = of.fields
        elif isinstance(of, tree.Enum):
            parts = of.values
            if not parts:
                yield Problem(of.at, "An enum has no value.")
        elif isinstance(of, tree.Named) and not _is_member_name(of.name):
            yield Problem(of.at, f"{quoted(of.name)} cannot be the name of a type.")
        for part in parts:
            if not _is_field_name(part.name):
                message = (
                    f"{quoted(part.name)} is no field name: letters and digits, single underscores between them."
                )
                yield Problem(part.at, message)
            yield from self.comments(part)
            if isinstance(part, tree.Field):
                yield from self.type(part.type, depth)
