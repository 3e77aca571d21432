"""Compiles the types of an interface into the core's checkers."""

from __future__ import annotations

import enum
import threading
from collections.abc import Mapping
from typing import Any

from fastvarlink._core.schema import Checker
from fastvarlink.idl import tree
from fastvarlink.idl.shapes import shape_enum, shape_struct

__all__ = ["Checkers"]


class Checkers:
    """The checkers of one interface, made as they are asked for, from any thread.

    ``shapes`` has the program's own classes for structs and enums, by where these stand: the name of a
    declared type or error, followed by the names of the fields on the way to a type without a name, as in
    ``User.address``; ``Method.input`` and ``Method.output`` for what a method takes and returns.
    """

    def __init__(self, interface: tree.Interface, shapes: Mapping[str, type[Any]] | None = None) -> None:
        self._types = {
            member.name: member.type
            for member in interface.members
            if isinstance(member, tree.TypeDeclaration)
        }
        self._shapes = shapes or {}
        self._lock = threading.Lock()
        self._named: dict[tuple[str, bool], Checker] = {}
        # Structs whose fields are still to be looked at. They may contain themselves, and a chain of them
        # may be longer than the stack is deep.
        self._pending: list[tuple[Checker, tree.Struct, str]] = []

    def of(self, type_: tree.Type, place: str = "") -> Checker:
        """The checker of a type that stands at a place.

        LookupError if it uses a name that is not declared; TypeError if a class does not fit its type.
        """
        # Nobody may use what another thread has half made.
        with self._lock:
            try:
                checker = self._of(type_, place)
                while self._pending:
                    self._define(*self._pending.pop())
            except BaseException:
                # Nor may anybody use it later.
                self._named.clear()
                self._pending.clear()
                raise
            return checker

    def _of(self, type_: tree.Type, place: str, nullable: bool = False) -> Checker:
        match type_:
            case tree.Nullable(element):
                return self._of(element, place, nullable=True)
            case tree.Primitive():
                return Checker(type_.value, nullable)
            case tree.Array(element):
                return Checker("array", nullable, self._of(element, place))
            case tree.Map() if tree.is_set(type_):
                return Checker("set", nullable)
            case tree.Map(element):
                return Checker("map", nullable, self._of(element, place))
            case tree.Enum(values):
                names = [value.name for value in values]
                checker = Checker("enum", nullable, values=names)
                if (shape := self._shapes.get(place)) is not None and issubclass(shape, enum.Enum):
                    shape_enum(checker, names, shape)
                return checker
            case tree.Struct():
                checker = Checker("struct", nullable)
                self._define(checker, type_, place)
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
            checker = Checker("struct", nullable)
            self._pending.append((checker, declared, name))
        else:
            checker = self._of(declared, name, nullable)
        self._named[name, nullable] = checker
        return checker

    def _define(self, checker: Checker, struct: tree.Struct, place: str) -> None:
        checker.define({field.name: self._of(field.type, f"{place}.{field.name}") for field in struct.fields})
        if (shape := self._shapes.get(place)) is not None:
            shape_struct(checker, [field.name for field in struct.fields], shape)
