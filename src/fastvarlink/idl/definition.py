"""An interface together with the Python classes that stand for its types."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from fastvarlink._core.schema import Checker
from fastvarlink.error import InterfaceError
from fastvarlink.idl import tree
from fastvarlink.idl.checkers import Checkers
from fastvarlink.idl.interface import Interface

__all__ = ["Definition"]


class Definition:
    """What a typed client or service goes by.

    ``text`` is the definition. ``shapes`` has the classes of its structs and enums, by their places, as in
    Checkers, and of its errors, by their names: dataclasses, enum.Enums and InterfaceErrors.
    """

    def __init__(self, text: str, shapes: Mapping[str, type[Any]] | None = None) -> None:
        self.interface = Interface.from_specification(text)
        self.shapes = dict(shapes or {})
        for name, shape in self.shapes.items():
            if issubclass(shape, InterfaceError):
                shape._qualify(f"{self.interface.name}.{name}")

    @cached_property
    def checkers(self) -> Checkers:
        """The checkers of its types, which make and take the objects of its classes."""
        return Checkers(self.interface.tree, self.shapes)

    def of_method(self, method: tree.Method) -> tuple[Checker, Checker]:
        """The checkers of what a method takes and of what it returns."""
        return (
            self.checkers.of(method.input, f"{method.name}.input"),
            self.checkers.of(method.output, f"{method.name}.output"),
        )
