"""The base of the services that are generated from a definition."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Iterator
from typing import ClassVar, TypeAlias, TypeVar

from fastvarlink.idl.definition import Definition

__all__ = ["Answer", "TypedService"]

_T = TypeVar("_T")

#: What a handler may return for a result: it, an iterator of several, or either of them to be awaited.
Answer: TypeAlias = _T | Iterator[_T] | Awaitable[_T] | AsyncIterator[_T]


class TypedService:
    """Base of a generated class with the methods of an interface; a subclass brings the code.

    Service.interface() offers objects of the subclass.
    """

    __varlink_definition__: ClassVar[Definition]

    def __init_subclass__(cls, definition: Definition | None = None) -> None:
        super().__init_subclass__()
        if definition is not None:
            cls.__varlink_definition__ = definition
