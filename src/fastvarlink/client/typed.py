"""The bases of the clients that are generated from a definition."""

from __future__ import annotations

from types import EllipsisType
from typing import Any, ClassVar, Protocol, Self

from fastvarlink._core.call import CallPlan
from fastvarlink.client.plans import InterfacePlans
from fastvarlink.idl.definition import Definition

__all__ = ["AsyncTypedClient", "TypedClient"]


class _Transport(Protocol):
    """What carries the calls: Client.open() and its asynchronous sibling bring one."""

    def invoke(
        self,
        plan: CallPlan,
        arguments: tuple[Any, ...],
        more: bool,
        oneway: bool,
        timeout: float | EllipsisType | None = ...,
    ) -> Any: ...

    def close(self) -> Any: ...


class _Typed:
    """Base of a generated class with the methods of an interface.

    Client.open(CLASS) makes its objects. Results and errors are objects of the classes beside it.
    """

    __varlink_definition__: ClassVar[Definition]
    __varlink_plans__: ClassVar[InterfacePlans]

    def __init_subclass__(cls, definition: Definition | None = None) -> None:
        super().__init_subclass__()
        if definition is not None:
            cls.__varlink_definition__ = definition
            cls.__varlink_plans__ = InterfacePlans(definition.interface, definition)

    def __init__(self, transport: _Transport) -> None:
        self._transport = transport

    def _invoke(
        self,
        method: str,
        arguments: tuple[Any, ...],
        more: bool,
        oneway: bool,
        timeout: float | EllipsisType | None = ...,
    ) -> Any:
        """``timeout`` is in seconds, None for no limit, "..." for that of the client."""
        return self._transport.invoke(self.__varlink_plans__.call(method), arguments, more, oneway, timeout)


class TypedClient(_Typed):
    """Base of a generated client that waits for its replies."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection. May be called while another thread waits for a reply."""
        self._transport.close()


class AsyncTypedClient(_Typed):
    """Base of a generated client whose calls are awaited."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection. Calls that wait for a reply fail."""
        self._transport.close()
