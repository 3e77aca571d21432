"""The base of the services that are generated from a definition."""

from __future__ import annotations

from typing import ClassVar

from fastvarlink.idl.definition import Definition

__all__ = ["TypedService"]


class TypedService:
    """Base of a generated class with the methods of an interface; a subclass brings the code.

    Service.interface() offers objects of the subclass.
    """

    __varlink_definition__: ClassVar[Definition]

    def __init_subclass__(cls, definition: Definition | None = None) -> None:
        super().__init_subclass__()
        if definition is not None:
            cls.__varlink_definition__ = definition
