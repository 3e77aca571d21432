"""The syntax tree of an interface definition.

All nodes are immutable, compare by value and are dataclasses: ``match`` takes them apart,
``dataclasses.replace`` makes a changed copy. The tree keeps the order of the text, and every comment:

    doc       the documentation: the comment lines directly above a declaration, joined by line feeds, without
              the ``#`` and one blank after it. ``""`` without any.
    remark    the comment behind a declaration on its line, ``""`` without one.
    comments  the other comments above a declaration, one string for each block of lines. Comments inside of
              a declaration, at places where no other node can keep them, are among them.
    closing   the blocks of comments before a closing parenthesis, or at the end of the text.

``at`` is where the name (of a type: its first character) stands in the text that was read, ``end`` where a
member ends, both as offsets; -1 in a tree that was not read. They count for nothing in comparisons.
"""

from __future__ import annotations

from typing import TypeAlias

from fastvarlink._core.tree import (
    Array,
    Enum,
    EnumValue,
    Error,
    Field,
    Interface,
    Map,
    Method,
    Named,
    Nullable,
    Primitive,
    Struct,
    TypeDeclaration,
)

__all__ = [
    "Array",
    "Enum",
    "EnumValue",
    "Error",
    "Field",
    "Interface",
    "Map",
    "Member",
    "Method",
    "Named",
    "Nullable",
    "Primitive",
    "Struct",
    "Type",
    "TypeDeclaration",
    "is_set",
]

Type: TypeAlias = Primitive | Array | Map | Nullable | Named | Struct | Enum
Member: TypeAlias = TypeDeclaration | Method | Error


def is_set(of: Type) -> bool:
    """Whether a type is ``[string]()``, which stands for a set of strings."""
    return isinstance(of, Map) and isinstance(of.element, Struct) and not of.element.fields
