"""The syntax tree of an interface definition.

All nodes are immutable and compare by value, so that two texts mean the same exactly when their
trees are equal. The tree keeps the order of the text. ``doc`` is the documentation of a node: the
comment lines directly above it, joined by line feeds, without the ``#`` and one blank after it, and
``""`` when there are none.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TypeAlias

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
]


class Primitive(enum.Enum):
    """A type without parts. The value is its keyword."""

    BOOL = "bool"
    INT = "int"
    FLOAT = "float"
    STRING = "string"
    OBJECT = "object"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Array:
    """``[]element``"""

    element: Type


@dataclass(frozen=True, slots=True)
class Map:
    """``[string]element``. A set of strings is a map to the empty struct, ``Map(Struct(()))``."""

    element: Type


@dataclass(frozen=True, slots=True)
class Nullable:
    """``?element``. The element is never itself a Nullable."""

    element: Type


@dataclass(frozen=True, slots=True)
class Named:
    """A reference to a type declared in the same interface."""

    name: str


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a struct: ``name: type``."""

    name: str
    type: Type
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Struct:
    """``(a: T, b: U)``; no two fields have one name."""

    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class EnumValue:
    """One value of an enum."""

    name: str
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Enum:
    """``(a, b)``: one value at least, all different."""

    values: tuple[EnumValue, ...]


@dataclass(frozen=True, slots=True)
class TypeDeclaration:
    """``type Name (...)``

    The specification knows structs and enums here, and ``parse`` returns nothing else. The package
    ``varlink`` allows any type, so a tree made of its nodes may have one.
    """

    name: str
    type: Type
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Method:
    """``method Name(...) -> (...)``"""

    name: str
    input: Struct
    output: Struct
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Error:
    """``error Name (...)``. ``type`` holds the error's parameters."""

    name: str
    type: Struct
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Interface:
    """A whole definition. ``members`` are in the order of the text, no two of one name."""

    name: str
    doc: str
    members: tuple[Member, ...]


Type: TypeAlias = Primitive | Array | Map | Nullable | Named | Struct | Enum
Member: TypeAlias = TypeDeclaration | Method | Error
