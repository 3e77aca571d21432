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
from fastvarlink.idl.hints import primitive_meant

__all__ = ["Problem", "problems", "problems_of_names"]

MAX_DEPTH = 64
_MOST = 100  # problems; a large text of nothing else shall not take long to explain
# Names are compared with each other up to so many and of such a length only: it takes quadratic time.
_COMPARED = 200
_COMPARED_LENGTH = 40

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
    found = sorted(names.check(interface))
    types = [member.name for member in interface.members if isinstance(member, tree.TypeDeclaration)]
    known = [name for name in types if len(name) <= _COMPARED_LENGTH] if len(types) <= _COMPARED else []
    problems = [_problem(interface, known, *each) for each in found[:_MOST]]
    if len(found) > _MOST:
        problems.append(Problem(found[_MOST][0], f"From here on there are {len(found) - _MOST} more faults."))
    return problems


def _problem(interface: tree.Interface, types: list[str], at: int, which: str, name: str) -> Problem:
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
        return Problem(at, message, _hint_for_undeclared(types, name), name)
    what, where = ("field", "struct") if which == "second field" else ("value", "enum")
    return Problem(at, f"Found a second {what} {quoted(name)} in one {where}.")


def _hint_for_undeclared(types: list[str], name: str) -> str:
    if meant := primitive_meant(name):
        return f"Did you mean {meant}?"
    close = get_close_matches(name, types, 1, 0.7) if len(name) <= _COMPARED_LENGTH else []
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
            yield Problem(
                interface.at, f"{quoted(interface.name)} is no interface name like org.example.name."
            )
        yield from self.comments(interface)
        yield from self.closing(interface.name, interface.closing)
        if not interface.members:
            yield Problem(interface.at, "The interface declares nothing.")
        for member in interface.members:
            if not isinstance(member, tree.TypeDeclaration | tree.Method | tree.Error):
                yield _stranger(member, "type, method or error", interface.name)
                continue
            if not _is_member_name(member.name):
                message = (
                    f"{quoted(member.name)} is no name of letters and digits that begins with a capital."
                )
                yield Problem(member.at, message)
            yield from self.comments(member)
            if isinstance(member, tree.Method):
                yield from self.type(member.name, member.input, 0)
                yield from self.type(member.name, member.output, 0)
                continue
            if not isinstance(member.type, tree.Struct | tree.Enum):
                message = f"{quoted(member.name)} is declared as neither a struct nor an enum."
                yield Problem(member.at, message)
            yield from self.type(member.name, member.type, 0)

    def comments(self, node: tree.Interface | tree.Member | tree.Field | tree.EnumValue) -> Iterator[Problem]:
        if not (_is_comment_line(node.remark) and _are_comments((node.doc, *node.comments))):
            yield _comment_problem(node.at, node.name)

    def closing(self, owner: str, blocks: tuple[str, ...]) -> Iterator[Problem]:
        if not _are_comments(blocks):
            yield _comment_problem(-1, owner)

    def type(self, owner: str, of: tree.Type, depth: int) -> Iterator[Problem]:
        """``owner`` is the name of the member or the field that the type belongs to."""
        while isinstance(of, tree.Array | tree.Map | tree.Nullable):
            depth += 1
            if isinstance(of, tree.Nullable) and isinstance(of.element, tree.Nullable):
                yield Problem(of.at, f"A nullable type is made nullable once more in {quoted(owner)}.")
            of = of.element
        depth += isinstance(of, tree.Struct | tree.Enum)
        if depth > MAX_DEPTH:
            yield Problem(-1, f"Types are nested more than {MAX_DEPTH} deep in {quoted(owner)}.")
        elif isinstance(of, tree.Struct):
            yield from self.closing(owner, of.closing)
            for field in of.fields:
                if isinstance(field, tree.Field):
                    yield from self.part(field)
                    yield from self.type(field.name, field.type, depth)
                else:
                    yield _stranger(field, "field", owner)
        elif isinstance(of, tree.Enum):
            yield from self.closing(owner, of.closing)
            if not of.values:
                yield Problem(of.at, f"An enum in {quoted(owner)} has no value.")
            for value in of.values:
                if isinstance(value, tree.EnumValue):
                    yield from self.part(value)
                else:
                    yield _stranger(value, "enum value", owner)
        elif isinstance(of, tree.Named):
            if not _is_member_name(of.name):
                yield Problem(of.at, f"{quoted(of.name)} cannot be the name of a type.")
        elif not isinstance(of, tree.Primitive):
            yield _stranger(of, "type", owner)

    def part(self, part: tree.Field | tree.EnumValue) -> Iterator[Problem]:
        if not _is_field_name(part.name):
            message = (
                f"{quoted(part.name)} is no field name: letters and digits, single underscores between them."
            )
            yield Problem(part.at, message)
        yield from self.comments(part)


def _stranger(of: object, wanted: str, owner: str) -> Problem:
    return Problem(-1, f"An object of the class {type(of).__name__} is no {wanted}, in {quoted(owner)}.")


def _are_comments(blocks: Iterable[str]) -> bool:
    return all(_is_comment_line(line) for block in blocks for line in block.split("\n"))


def _comment_problem(at: int, name: str) -> Problem:
    return Problem(
        at, f"A comment of {quoted(name)} has a line end within a line, a NUL, or half a character."
    )
