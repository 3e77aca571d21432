"""Made-up values, for examples."""

from __future__ import annotations

from typing import Any

from fastvarlink.idl import tree

__all__ = ["sample"]

# A definition comes from a stranger, and a few types can stand for values without end.
_MOST = 300


def sample(interface: tree.Interface, of: tree.Type) -> Any:
    """A value of a type, without what may be left out. Null stands beyond the first 300 values in it."""
    return _Sampler(interface).value(of, ())


class _Recursive(Exception):
    """A type contains itself here."""


class _Sampler:
    def __init__(self, interface: tree.Interface) -> None:
        self._declared = {
            member.name: member.type
            for member in interface.members
            if isinstance(member, tree.TypeDeclaration)
        }
        self._left = _MOST

    def value(self, of: tree.Type, within: tuple[str, ...]) -> Any:
        self._left -= 1
        if self._left < 0:
            return None
        match of:
            case tree.Primitive.BOOL:
                return True
            case tree.Primitive.INT:
                return 1
            case tree.Primitive.FLOAT:
                return 1.5
            case tree.Primitive.STRING:
                return "text"
            case tree.Primitive():
                return {}
            case tree.Nullable():
                return None
            case tree.Enum(values):
                return values[0].name
            case tree.Struct(fields):
                return {
                    field.name: self.value(field.type, within)
                    for field in fields
                    if not isinstance(field.type, tree.Nullable)
                }
            case tree.Named(name):
                if name in within:
                    raise _Recursive
                return self.value(self._declared[name], (*within, name))
            case tree.Array(element):
                try:
                    return [self.value(element, within)]
                except _Recursive:
                    return []
            case tree.Map(element):
                try:
                    return {"key": self.value(element, within)}
                except _Recursive:
                    return {}
