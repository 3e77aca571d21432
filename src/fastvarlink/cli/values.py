"""Values of the types that an interface declares, read from what a user writes."""

from __future__ import annotations

from typing import Any, NoReturn

from fastvarlink.cli.members import near
from fastvarlink.cli.output import json_text
from fastvarlink.cli.parameters import strict_json
from fastvarlink.idl import tree
from fastvarlink.idl.printer import type_in_line

__all__ = ["Mismatch", "Values"]

_SHOWN = 60  # characters of a value in a sentence
_INTS = range(-(2**63), 2**64)


class Mismatch(ValueError):
    """A value that its type does not take. The text is a sentence that says where, and what it has to be."""


class Values:
    """The types of an interface, and what is a value of which."""

    def __init__(self, interface: tree.Interface) -> None:
        self._declared: dict[str, tree.Type] = {
            member.name: member.type
            for member in interface.members
            if isinstance(member, tree.TypeDeclaration)
        }

    def plain(self, of: tree.Type) -> tree.Type:
        """What a type is behind its name and its ``?``."""
        while isinstance(of, tree.Nullable | tree.Named):
            of = of.element if isinstance(of, tree.Nullable) else self._declared[of.name]
        return of

    def described(self, of: tree.Type) -> str:
        """A type in a sentence: as it is declared, and what a name stands for."""
        text = type_in_line(of)
        core = of
        while isinstance(core, tree.Nullable | tree.Array | tree.Map):
            core = core.element
        if not isinstance(core, tree.Named):
            return text
        subject = "which" if text.lstrip("?") == core.name else f"where {core.name}"
        return f"{text}, {subject} is {type_in_line(self._declared[core.name])}"

    def from_text(self, of: tree.Type, text: str, place: str) -> Any:
        """The value that a text is: strings and enums as they stand, all else as JSON. Raises Mismatch."""
        plain = self.plain(of)
        value: Any = text
        if isinstance(plain, tree.Enum):
            value = text.strip()
        elif plain is not tree.Primitive.STRING:
            try:
                value = strict_json(text)
            except (ValueError, RecursionError):
                self._mismatch(of, place, f"{_quoted(text)} is not")
            if value is None:
                self._mismatch(of, place, f"null is not; null is written as {place}:=null")
        self.check(of, value, place)
        return value

    def check(self, of: tree.Type, value: Any, place: str) -> None:
        """Raise Mismatch if this, as JSON decodes it, is no value of the type."""
        if value is None and isinstance(of, tree.Nullable):
            return
        plain = self.plain(of)
        if not _is_of_kind(plain, value):
            self._mismatch(of, place, f"{_quoted(value)} is not")
        match plain:
            case tree.Enum(values):
                names = [each.name for each in values]
                if value not in names:
                    self._mismatch(of, place, f"{_quoted(value)} is not", near(value, names))
            case tree.Array(element):
                for index, each in enumerate(value):
                    self.check(element, each, f"{place}[{index}]")
            case tree.Map(element):
                for key, each in value.items():
                    self.check(element, each, f"{place}.{key}")
            case tree.Struct(fields):
                self._check_struct(of, fields, value, place)

    def _check_struct(
        self, of: tree.Type, fields: tuple[tree.Field, ...], value: dict[str, Any], place: str
    ) -> None:
        types = {field.name: field.type for field in fields}
        for key in value:
            if key not in types:
                raise Mismatch(
                    f"{place} has no field {_quoted(key)}{near(key, types)} It is {self.described(of)}."
                )
        for name, declared in types.items():
            if name in value:
                self.check(declared, value[name], f"{place}.{name}")
            elif not isinstance(declared, tree.Nullable):
                raise Mismatch(f"{place}.{name} is missing; it has to be {self.described(declared)}.")

    def _mismatch(self, of: tree.Type, place: str, why: str, end: str = ".") -> NoReturn:
        raise Mismatch(f"{place} has to be {self.described(of)}, and {why}{end}")


def _is_of_kind(plain: tree.Type, value: Any) -> bool:
    match plain:
        case tree.Primitive.BOOL:
            return isinstance(value, bool)
        case tree.Primitive.INT:
            return type(value) is int and value in _INTS
        case tree.Primitive.FLOAT:
            return type(value) in (int, float)
        case tree.Primitive.STRING | tree.Enum():
            return isinstance(value, str)
        case tree.Primitive.ANY:
            return value is not None
        case tree.Array():
            return isinstance(value, list)
        case _:
            return isinstance(value, dict)


def _quoted(value: Any) -> str:
    text = repr(value) if isinstance(value, str) else json_text(value, "short")
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
