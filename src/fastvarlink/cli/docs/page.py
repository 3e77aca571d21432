"""What the documentation of an interface says, whatever it is written in."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from typing import NamedTuple

from fastvarlink.cli.sample import sample
from fastvarlink.idl import tree

__all__ = ["Entry", "Group", "Page", "Piece", "Row", "Table", "page_of"]

# Characters that would change how the text around them is shown, or that no page can show.
_hidden = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufffe\uffff]")


class Piece(NamedTuple):
    """A piece of a type: the name of a declared type, which there is an entry for, or what stands between."""

    text: str
    declared: bool = False


class Row(NamedTuple):
    """A field, or a value of an enum, which has no type. ``name`` is a path if it is within another field."""

    name: str
    type: tuple[Piece, ...]
    doc: str


class Table(NamedTuple):
    """The fields of a struct or the values of an enum. ``empty`` says what it means that there are none."""

    title: str
    rows: list[Row]
    empty: str = ""


class Entry(NamedTuple):
    """A method, a type or an error. ``example`` is a command line, "" if there is none."""

    name: str
    doc: str
    tables: list[Table]
    example: str = ""


class Group(NamedTuple):
    """The entries of one kind. ``anchor`` is no name of an entry: it begins with a small letter."""

    anchor: str
    title: str
    entries: list[Entry]


class Page(NamedTuple):
    """The documentation of an interface. Groups without entries are left out."""

    name: str
    doc: str
    groups: list[Group]


def page_of(interface: tree.Interface, address: str | None) -> Page:
    """What is to be said of an interface. ``address`` is what its service is called at in examples."""
    methods, types, errors = [], [], []
    for member in interface.members:
        doc = _doc(member)
        match member:
            case tree.Method():
                tables = [
                    Table("Parameters", list(_rows(member.input)), "It takes no parameters."),
                    Table("Results", list(_rows(member.output)), "It returns nothing."),
                ]
                methods.append(Entry(member.name, doc, tables, _call(interface, member, address)))
            case tree.TypeDeclaration():
                of = member.type
                title = "Values" if isinstance(of, tree.Enum) else "Fields"
                types.append(Entry(member.name, doc, [Table(title, list(_rows(of)), "It has no fields.")]))
            case tree.Error():
                table = Table("Parameters", list(_rows(member.type)), "It has no parameters.")
                errors.append(Entry(member.name, doc, [table]))
    groups = [Group("methods", "Methods", methods), Group("types", "Types", types)]
    groups.append(Group("errors", "Errors", errors))
    return Page(interface.name, _doc(interface), [group for group in groups if group.entries])


def _doc(node: tree.Interface | tree.Member | tree.Field | tree.EnumValue) -> str:
    """The documentation, or the comment behind it, which some write instead."""
    return _hidden.sub("\ufffd", node.doc.strip() or node.remark.strip()).replace("\t", " ")


def _rows(of: tree.Type, path: str = "") -> Iterator[Row]:
    """The fields or the values of a type, and behind each field those that it has inside."""
    while isinstance(of, tree.Nullable | tree.Array | tree.Map):
        if isinstance(of, tree.Array):
            path += "[]"
        elif isinstance(of, tree.Map):
            path += "[string]"
        of = of.element
    if isinstance(of, tree.Struct):
        before = f"{path}." if path else ""
        for field in of.fields:
            yield Row(before + field.name, tuple(_pieces(field.type)), _doc(field))
            yield from _rows(field.type, before + field.name)
    elif isinstance(of, tree.Enum):
        for value in of.values:
            # Values within a field are in its type already, and need a row only if there is more to say.
            if not path or _doc(value):
                yield Row(f"{path} = {value.name}" if path else value.name, (), _doc(value))


def _pieces(of: tree.Type) -> Iterator[Piece]:
    """A type; what a struct consists of is left to the rows that follow."""
    before = ""
    while isinstance(of, tree.Nullable | tree.Array | tree.Map):
        before += {tree.Nullable: "?", tree.Array: "[]", tree.Map: "[string]"}[type(of)]
        of = of.element
    match of:
        case tree.Named(name):
            if before:
                yield Piece(before)
            yield Piece(name, True)
        case tree.Primitive():
            yield Piece(before + of.value)
        case tree.Struct(fields):
            yield Piece(before + ("(...)" if fields else "()"))
        case tree.Enum(values):
            yield Piece(f"{before}({', '.join(value.name for value in values)})")


def _call(interface: tree.Interface, method: tree.Method, address: str | None) -> str:
    name = f"{interface.name}.{method.name}"
    words = ["varlink", "call", shlex.quote(f"{address or 'ADDRESS'}/{name}")]
    if method.input.fields:
        try:
            parameters = json.dumps(sample(interface, method.input, whole=False))
        except ValueError:
            # Too large to be an example of anything.
            parameters = "{}"
        words.append(shlex.quote(parameters))
    return _hidden.sub("\ufffd", " ".join(words))
