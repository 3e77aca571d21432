"""Values made from types alone: the same ones each time, for examples and for services that only pretend."""

from __future__ import annotations

from typing import Any

from fastvarlink.idl import tree

__all__ = ["sample"]

# The definition may come from a peer, who may mean harm: what lies deeper is left out, where that can be.
DEPTH = 64
# Values at most: types that each have two fields of the next one double with every level.
MOST = 10_000


def sample(interface: tree.Interface, of: tree.Type) -> Any:
    """A value of the type, as JSON has it. Its names are those that ``interface`` declares.

    Strings are called what their field is, enums are at their first value, arrays and maps have one element,
    and what may be null is there. A type within itself ends: by null, or by an array or a map that is empty.
    ValueError if it would be too large for an example.
    """
    try:
        return _Sampler(interface).value(of, "text", ())
    except _Endless:
        raise ValueError("The type has too many levels for an example.") from None


class _Endless(Exception):
    """What was begun cannot be ended here, but maybe further out."""


class _Sampler:
    def __init__(self, interface: tree.Interface) -> None:
        self._types = {
            member.name: member.type
            for member in interface.members
            if isinstance(member, tree.TypeDeclaration)
        }
        self._made = 0

    def value(self, of: tree.Type, name: str, within: tuple[str | None, ...]) -> Any:
        """A value for what is called ``name``. ``within``: what it is part of, by the names of the types."""
        self._made += 1
        if self._made > MOST:
            raise ValueError("The type has too many parts for an example.")
        if len(within) > DEPTH:
            raise _Endless
        match of:
            case tree.Named(called):
                if called in within:
                    raise _Endless
                return self.value(self._types[called], name, (*within, called))
            case tree.Struct(fields):
                return {field.name: self.value(field.type, field.name, (*within, None)) for field in fields}
            case tree.Enum(values):
                return values[0].name
            case tree.Nullable(element):
                return self._unless_endless(element, name, within, lambda value: value, None)
            case tree.Array(element):
                return self._unless_endless(element, name, within, lambda value: [value], [])
            case tree.Map(element):
                return self._unless_endless(element, name, within, lambda value: {"key": value}, {})
            case tree.Primitive():
                return _primitive(of, name)

    def _unless_endless(
        self, element: tree.Type, name: str, within: tuple[str | None, ...], around: Any, otherwise: Any
    ) -> Any:
        try:
            return around(self.value(element, name, (*within, None)))
        except _Endless:
            return otherwise


def _primitive(of: tree.Primitive, name: str) -> Any:
    match of:
        case tree.Primitive.BOOL:
            return True
        case tree.Primitive.INT:
            return 1
        case tree.Primitive.FLOAT:
            return 1.5
        case tree.Primitive.STRING:
            return name
        case tree.Primitive.OBJECT | tree.Primitive.ANY:
            return {}
