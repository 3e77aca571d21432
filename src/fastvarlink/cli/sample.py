"""Values made from types alone: the same ones each time, for examples and for services that only pretend."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastvarlink.idl import tree

__all__ = ["sample"]

# The definition may come from a peer, who may mean harm: what lies deeper ends, where it can.
DEPTH = 64
# Values at most: types that each have two fields of the next one double with every level.
MOST = 1000


def sample(interface: tree.Interface, of: tree.Type, *, whole: bool = True) -> Any:
    """A value of the type, as JSON has it. Its names are those that ``interface`` declares.

    Strings are called what their field is, enums are at their first value, arrays and maps have one element.
    What may be null is there if it is to be ``whole``, else it is left out. A type within itself ends: by
    null, or by an array or a map that is empty. ValueError if the value would be too large for an example.
    """
    try:
        return _Sampler(interface, whole).value(of, "text", ())
    except _EndlessError:
        raise ValueError("The type has too many levels for an example.") from None


class _EndlessError(Exception):
    """What was begun cannot be ended here, but maybe further out."""


class _Sampler:
    def __init__(self, interface: tree.Interface, whole: bool) -> None:
        self._types = {
            member.name: member.type
            for member in interface.members
            if isinstance(member, tree.TypeDeclaration)
        }
        self._whole = whole
        self._made = 0

    def value(self, of: tree.Type, name: str, within: tuple[str | None, ...]) -> Any:
        """A value for what is called ``name``. ``within``: what it is part of, by the names of the types."""
        self._made += 1
        if self._made > MOST:
            raise ValueError("The type has too many parts for an example.")
        if len(within) > DEPTH:
            raise _EndlessError
        match of:
            case tree.Named(called):
                if called in within:
                    raise _EndlessError
                return self.value(self._types[called], name, (*within, called))
            case tree.Struct(fields):
                return {
                    field.name: self.value(field.type, field.name, (*within, None))
                    for field in fields
                    if self._whole or not isinstance(field.type, tree.Nullable)
                }
            case tree.Enum(values):
                return values[0].name
            case tree.Nullable(element):
                return self._if_it_ends(element, name, within, lambda value: value, None)
            case tree.Array(element):
                return self._if_it_ends(element, name, within, lambda value: [value], [])
            case tree.Map(element):
                return self._if_it_ends(element, name, within, lambda value: {"key": value}, {})
            case tree.Primitive():
                return name if of is tree.Primitive.STRING else _PRIMITIVES[of]

    def _if_it_ends(
        self,
        element: tree.Type,
        name: str,
        within: tuple[str | None, ...],
        around: Callable[[Any], Any],
        otherwise: Any,
    ) -> Any:
        try:
            return around(self.value(element, name, (*within, None)))
        except _EndlessError:
            return otherwise


_PRIMITIVES: dict[tree.Primitive, Any] = {
    tree.Primitive.BOOL: True,
    tree.Primitive.INT: 1,
    tree.Primitive.FLOAT: 1.5,
    tree.Primitive.OBJECT: {},
    tree.Primitive.ANY: {},
}
