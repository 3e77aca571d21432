"""Example values for the types of an interface."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastvarlink.idl import tree

__all__ = ["sample"]

# Types may contain each other many times over; somebody has to read what comes of it.
_MOST = 1000
_DEEPEST = 64


def sample(interface: tree.Interface, of: tree.Type) -> Any:
    """A JSON value of a type, the same for the same type.

    A string is the name of its field, a number 0, an enum its first value, what is nullable null; an array or
    a map has one element, or none where it would contain itself. Values that are too large to read are cut.
    """
    types = {each.name: each.type for each in interface.members if isinstance(each, tree.TypeDeclaration)}
    return _Sampler(types).value(of, "", frozenset(), 0)


class _EndlessError(Exception):
    """A type was met inside of itself."""


class _Sampler:
    def __init__(self, types: Mapping[str, tree.Type]) -> None:
        self._types = types
        self._made = 0

    def value(self, of: tree.Type, name: str, inside: frozenset[str], depth: int) -> Any:
        """A value for what is called ``name``, in values of the named types that it is inside of."""
        self._made += 1
        match of:
            case tree.Primitive():
                return _PRIMITIVES.get(of, name)
            case tree.Nullable():
                return None
            case tree.Enum(values):
                return values[0].name
            case tree.Array(element):
                try:
                    return [self.value(element, name, inside, depth + 1)]
                except _EndlessError:
                    return []
            case tree.Map(element):
                try:
                    return {"key": self.value(element, name, inside, depth + 1)}
                except _EndlessError:
                    return {}
            case tree.Struct(fields):
                made = {}
                for field in fields:
                    if self._made > _MOST or depth > _DEEPEST:
                        break
                    made[field.name] = self.value(field.type, field.name, inside, depth + 1)
                return made
            case tree.Named(called):
                if called in inside:
                    raise _EndlessError
                return self.value(self._types[called], name, inside | {called}, depth)


_PRIMITIVES: dict[tree.Primitive, Any] = {
    tree.Primitive.BOOL: False,
    tree.Primitive.INT: 0,
    tree.Primitive.FLOAT: 0.0,
    tree.Primitive.OBJECT: {},
    tree.Primitive.ANY: {},
}
