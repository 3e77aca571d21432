"""The client's side of an interface: an object whose methods are awaited."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from types import EllipsisType
from typing import Any, Self

from fastvarlink._core.call import CallPlan
from fastvarlink._core.deadline import checked_timeout
from fastvarlink.aio.connection import STREAM_LEFT, Call, Connection
from fastvarlink.client.plans import plans_of
from fastvarlink.error import ConnectionBusy, DeadlineExceeded
from fastvarlink.idl.interface import Interface
from fastvarlink.idl.scanner import _Method

__all__ = ["Carrier", "ClientInterfaceHandler", "ReplyStream"]

_NONE: dict[str, Any] = {}
# What only a client that waits can do.
_NOT_HERE = {"_descriptors", "_upgrade"}


@contextlib.asynccontextmanager
async def _limited(plan: CallPlan, limit: float | None) -> AsyncIterator[None]:
    """DeadlineExceeded if what is inside takes longer than so many seconds."""
    if limit is None:
        yield
        return
    timer = asyncio.timeout(limit)
    try:
        async with timer:
            yield
    except TimeoutError as failure:
        if not timer.expired():
            raise
        message = f"{plan.name} was not answered within {limit:g} seconds."
        raise DeadlineExceeded(message, plan.name, limit) from failure


class Carrier:
    """Carries calls over a connection of its own.

    ``reconnect`` makes a new one for the calls that come after a call or a stream was given up.
    """

    def __init__(self, connection: Connection, reconnect: Callable[[], Awaitable[Connection]]) -> None:
        self._connection = connection
        self._reconnect = reconnect
        self._turn = asyncio.Lock()

    def invoke(
        self,
        plan: CallPlan,
        arguments: tuple[Any, ...],
        more: bool,
        oneway: bool,
        timeout: float | EllipsisType | None = ...,
        keywords: Mapping[str, Any] = _NONE,
        namespaced: bool = False,
    ) -> Any:
        """Call a method: an awaitable of its result or, with ``more``, an iterator of its replies.

        ``timeout`` is how many seconds the call, or each reply of a stream, may take.
        """
        limit = None if timeout is ... else checked_timeout(timeout)
        parameters = plan.parameters(arguments, keywords)
        if more:
            return ReplyStream(self, plan, parameters, namespaced, limit)
        return self._call(plan, parameters, oneway, namespaced, limit)

    async def _call(
        self, plan: CallPlan, parameters: bytes, oneway: bool, namespaced: bool, limit: float | None
    ) -> Any:
        async with _limited(plan, limit):
            connection = await self.connected()
            if oneway:
                return await connection.send_oneway(plan, parameters)
            return await connection.call(Call(plan, False, namespaced), parameters)

    async def connected(self) -> Connection:
        """The connection for the next call. OSError if a new one is needed and cannot be made."""
        if self._connection.left:
            async with self._turn:
                # Another call may have made one meanwhile.
                last = self._connection
                if last.left:
                    self._connection = await self._reconnect()
                    if not last.left:
                        # close() came in between.
                        self._connection.close()
        return self._connection

    async def close(self) -> None:
        """Close the connection."""
        self._connection.close()
        await self._connection.wait_closed()

    def __del__(self) -> None:
        self._connection.forsake("Its handler was not closed.")


class ReplyStream(AsyncIterator[Any]):
    """The replies to one call with ``more``, as they arrive. Also an asynchronous context manager.

    The call is sent when the first reply is asked for. Leaving the stream before its end closes the
    connection, as the protocol has no other way to stop it; an unread stream that is dropped does the
    same.
    """

    def __init__(
        self, carrier: Carrier, plan: CallPlan, parameters: bytes, namespaced: bool, limit: float | None
    ) -> None:
        self._carrier = carrier
        self._parameters = parameters
        self._limit = limit
        self._call = Call(plan, True, namespaced)
        self._connection: Connection | None = None  # that the call has been sent on
        self._reading = False
        self._over = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        if self._over:
            raise StopAsyncIteration
        if self._reading:
            raise ConnectionBusy("Another task is reading this stream of replies.")
        self._reading = True
        try:
            async with _limited(self._call.plan, self._limit):
                return await self._next()
        finally:
            self._reading = False

    async def _next(self) -> Any:
        if self._connection is None:
            connection = await self._carrier.connected()
            await connection.send(self._call, self._parameters)
            self._connection = connection
            if self._over:
                # aclose() came in between.
                connection.leave(STREAM_LEFT)
        try:
            return await self._connection.next_reply(self._call)
        finally:
            self._over = self._over or self._call.over

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Leave the stream. Before its end this closes the connection."""
        self._over = True
        if self._connection is not None and not self._call.over:
            self._connection.leave(STREAM_LEFT)
            await self._connection.wait_closed()

    def __del__(self) -> None:
        if self._connection is not None and not self._call.over:
            self._connection.forsake(STREAM_LEFT)


class ClientInterfaceHandler:
    """An object with the methods of an interface.

    A method takes its parameters by position or by name. What it returns is awaited: a dict (with
    ``namespaced`` a SimpleNamespace), with ``_oneway=True`` None as soon as the call is written. With
    ``_more=True`` it returns an asynchronous iterator of replies. An error reply is raised as a VarlinkError,
    of a class of the error's own name where the interface declares it: the handler has these classes as
    attributes, beside the methods.

    May be shared between tasks. Replies come in the order of the calls, behind the whole of a stream. A call
    that is cancelled before its reply came closes the connection, and so does a stream that is left; other
    calls that wait on it fail with ConnectionLost, and the next one connects anew.
    """

    def __init__(self, interface: Interface, carrier: Carrier, namespaced: bool = False) -> None:
        self._carrier = carrier
        plans = plans_of(interface)
        for error_class in plans.errors.values():
            setattr(self, error_class.__name__, error_class)
        for member in interface.members.values():
            if isinstance(member, _Method):
                setattr(
                    self, member.name, _remote_method(carrier, plans.call(member.name), member, namespaced)
                )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection. Calls that wait for a reply fail."""
        await self._carrier.close()


def _remote_method(carrier: Carrier, plan: CallPlan, method: _Method, namespaced: bool) -> Callable[..., Any]:
    def call(
        *args: Any, _more: bool = False, _oneway: bool = False, _timeout: Any = ..., **kwargs: Any
    ) -> Any:
        for word in _NOT_HERE & kwargs.keys():
            raise TypeError(
                f"{plan.name} was called with {word}, which asyncio's client cannot do: call it with "
                f"fastvarlink.Client."
            )
        return carrier.invoke(plan, args, _more, _oneway, _timeout, kwargs, namespaced)

    call.__name__ = call.__qualname__ = method.name
    call.__doc__ = "\n".join(text for text in (method.doc, method.signature) if text)
    return call
