"""Compiles the types of an interface into the core's checkers."""

from __future__ import annotations

from fastvarlink._core.schema import Checker
from fastvarlink.idl import tree

__all__ = ["Checkers"]

class Checkers:
    """The checkers of one interface, made as they are asked for."""

    def __init__(self, interface: tree.Interface) -> None:
        self._types = {
            member.name: member.type
            for member in interface.members
            if isinstance(member, tree.TypeDeclaration)
        }
        self._named: dict[tuple[str, bool], Checker] = {}

    def of(self, type_: tree.Type, nullable: bool = False) -> Checker:
        """The checker of a type. LookupError when it uses a name that is not declared."""
        match type_:
            case tree.Nullable(element):
                return self.of(element, nullable=True)
            case tree.Primitive():
                return Checker(type_.value, nullable)
            case tree.Array(element):
                return Checker("array", nullable, self.of(element))
            case tree.Map() if tree.is_set(type_):
                return Checker("set", nullable)
            case tree.Map(element):
                return Checker("map", nullable, self.of(element))
            case tree.Enum(values):
                return Checker("enum", nullable, values=[value.name for value in values])
            case tree.Struct():
                checker = Checker("struct", nullable)
                self._define(checker, type_)
                return checker
            case tree.Named(name):
                return self._of_name(name, nullable)

    def _of_name(self, name: str, nullable: bool) -> Checker:
        known = self._named.get((name, nullable))
        if known is not None:
            return known
        if name not in self._types:
            raise LookupError(f"The type {name} is not declared in the interface.")
        declared = self._types[name]
        if isinstance(declared, tree.Struct):
            # Known before its fields are looked at: it may contain itself.
            checker = self._named[name, nullable] = Checker("struct", nullable)
            self._define(checker, declared)
            return checker
        checker = self._named[name, nullable] = self.of(declared, nullable)
        return checker

    def _define(self, checker: Checker, struct: tree.Struct) -> None:
        checker.define({field.name: self.of(field.type) for field in struct.fields})
