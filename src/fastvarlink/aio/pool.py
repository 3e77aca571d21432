"""The class Pool: several connections to one service, which the tasks of one event loop share."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from types import EllipsisType
from typing import Any, Self, TypeVar, overload

from fastvarlink._core.call import CallPlan
from fastvarlink._core.control import Descriptors
from fastvarlink._core.deadline import checked_timeout
from fastvarlink.aio.carrier import Carrier
from fastvarlink.aio.client import Client, check_class
from fastvarlink.aio.deadline import in_time
from fastvarlink.aio.handler import ClientInterfaceHandler
from fastvarlink.client.typed import AsyncTypedClient
from fastvarlink.error import ConnectionBusy, ConnectionLost, ForkDetected
from fastvarlink.idl.interface import Interface
from fastvarlink.interceptor import Interceptor
from fastvarlink.limits import Limits

__all__ = ["Pool"]

_Typed = TypeVar("_Typed", bound=AsyncTypedClient)
_NONE: dict[str, Any] = {}

POOL_CLOSED = "The pool has been closed."


class _Member:
    """One connection of a pool, and who is on it."""

    def __init__(self, carrier: Carrier) -> None:
        self.carrier = carrier
        self.calls = 0
        # A stream has it, or waits for the calls on it to end.
        self.taken = False

    def has_ended(self) -> bool:
        """True if the service has closed it; the next call would only find that out."""
        channel = self.carrier.channel
        if not self.calls:
            channel.notice()
        return channel.is_closed and not channel.is_left


def _calls_of(member: _Member) -> int:
    return member.calls


class PoolCarrier:
    """Carries each call over the connection with the fewest, and each stream over one of its own."""

    def __init__(self, connect: Callable[[], Awaitable[Carrier]], size: int, timeout: float | None) -> None:
        self._connect = connect
        self._size = size
        self._timeout = timeout
        self._members: list[_Member] = []
        self._coming = 0  # connections that are being made
        self._waiting: list[asyncio.Future[None]] = []
        self._closed = False
        self._process = os.getpid()
        self._loop: asyncio.AbstractEventLoop | None = None  # of the first call

    def invoke(
        self,
        plan: CallPlan,
        arguments: tuple[Any, ...],
        more: bool,
        oneway: bool,
        timeout: float | EllipsisType | None = ...,
        keywords: Mapping[str, Any] = _NONE,
        namespaced: bool = False,
        descriptors: Descriptors | None = None,
        upgrade: bool = False,
    ) -> Any:
        """As of any carrier."""
        limit = self._timeout if timeout is ... else checked_timeout(timeout)

        def make(member: _Member, left: float | None) -> Any:
            return member.carrier.invoke(
                plan, arguments, more, oneway, left, keywords, namespaced, descriptors, upgrade
            )

        if more:
            return _PooledStream(self, plan, make, limit)
        return self._call(plan, make, limit, upgrade)

    async def _call(
        self, plan: CallPlan, make: Callable[[_Member, float | None], Any], limit: float | None, alone: bool
    ) -> Any:
        member, left = await self.lend(plan, limit, alone)
        try:
            result = await make(member, left)
            if alone:
                # It has left Varlink, and the pool.
                self._members.remove(member)
            return result
        finally:
            self.give_back(member, alone)

    async def lend(self, plan: CallPlan, limit: float | None, alone: bool) -> tuple[_Member, float | None]:
        """A connection for a call, or for something that needs one alone; and the seconds that are left."""
        if os.getpid() != self._process:
            raise ForkDetected(
                "This pool belongs to the process that this one was forked from: make one of its own."
            )
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            if self._loop is not None:
                raise RuntimeError("This pool belongs to another event loop: make one in each.")
            self._loop = loop
        member = self._pick(alone)
        if member is not None:
            return member, limit
        began = loop.time()
        async with in_time(limit, f"{plan.name} was not sent", plan.name):
            member = await (self._wait_alone(loop) if alone else self._wait(loop))
        return member, None if limit is None else max(limit - (loop.time() - began), 0.0)

    def _pick(self, alone: bool) -> _Member | None:
        """The best one there is; None if another is to be made, or to be waited for."""
        best = self._best()
        if best is None or (best.calls and (alone or self._has_room())) or (alone and self._waiting):
            return None
        best.calls += 1
        best.taken = alone
        return best

    def _best(self) -> _Member | None:
        """The one with the fewest calls, of those that can be shared."""
        if self._closed:
            raise ConnectionLost(f"The connection is closed. {POOL_CLOSED}")
        best = min((each for each in self._members if not each.taken), key=_calls_of, default=None)
        while best is not None and best.has_ended():
            self._members.remove(best)
            best = min((each for each in self._members if not each.taken), key=_calls_of, default=None)
        return best

    def _has_room(self) -> bool:
        return len(self._members) + self._coming < self._size

    async def _wait(self, loop: asyncio.AbstractEventLoop) -> _Member:
        while True:
            best = self._best()
            if (best is None or best.calls) and self._has_room():
                return await self._make(False)
            if best is not None:
                best.calls += 1
                return best
            await self._turn(loop)

    async def _wait_alone(self, loop: asyncio.AbstractEventLoop) -> _Member:
        # No more calls are made on it, so that it becomes idle.
        kept: _Member | None = None
        try:
            while True:
                if kept is not None and kept.has_ended():
                    self._members.remove(kept)
                    kept = None
                idle = kept if kept is not None and not kept.calls else self._best()
                if idle is not None and not idle.calls:
                    if kept is not None and idle is not kept:
                        kept.taken = False
                    kept = None
                    idle.calls, idle.taken = 1, True
                    return idle
                if self._has_room():
                    return await self._make(True)
                if kept is None and idle is not None:
                    kept = idle
                    kept.taken = True
                await self._turn(loop)
        finally:
            if kept is not None:
                kept.taken = False
                self._wake()

    async def _turn(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wait until something has changed. All are woken, in the order in which they have come."""
        if self._closed:
            raise ConnectionLost(f"The connection is closed. {POOL_CLOSED}")
        turn = loop.create_future()
        self._waiting.append(turn)
        try:
            await turn
        finally:
            if not turn.done() or turn.cancelled():
                self._waiting = [each for each in self._waiting if each is not turn]

    async def _make(self, alone: bool) -> _Member:
        self._coming += 1
        try:
            carrier = await self._connect()
        finally:
            self._coming -= 1
            self._wake()
        if self._closed:
            carrier.close()
            raise ConnectionLost(f"The connection is closed. {POOL_CLOSED}")
        member = _Member(carrier)
        member.calls, member.taken = 1, alone
        self._members.append(member)
        return member

    def give_back(self, member: _Member, alone: bool) -> None:
        """A call, or what was alone, is over."""
        member.calls -= 1
        if alone:
            member.taken = False
        self._wake()

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for turn in waiting:
            if not turn.done():
                turn.set_result(None)

    def close(self) -> None:
        """A handler makes no more calls; the connections are the pool's."""

    def end(self) -> None:
        """Close all connections."""
        self._closed = True
        for member in self._members:
            member.carrier.close()
        self._wake()


class _PooledStream(AsyncIterator[Any]):
    """The replies to a call with more, over a connection that is lent until they end or are left."""

    def __init__(
        self,
        carrier: PoolCarrier,
        plan: CallPlan,
        make: Callable[[_Member, float | None], Any],
        limit: float | None,
    ) -> None:
        self._carrier = carrier
        self._plan = plan
        self._make = make
        self._limit = limit
        self._member: _Member | None = None
        self._replies: Any = None
        self._over = False
        self._busy = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        if self._over:
            raise StopAsyncIteration
        if self._busy:
            raise ConnectionBusy("Another task is reading this stream of replies.")
        self._busy = True
        try:
            if self._replies is None:
                self._member, _ = await self._carrier.lend(self._plan, self._limit, True)
                if self._over:
                    # It has been left meanwhile.
                    raise StopAsyncIteration
                self._replies = self._make(self._member, self._limit)
            return await anext(self._replies)
        except BaseException:
            self._finish()
            raise
        finally:
            self._busy = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Leave the stream. Before its end this closes the connection."""
        if self._replies is not None:
            await self._replies.aclose()
        self._finish()

    def _finish(self) -> None:
        self._over = True
        member, self._member = self._member, None
        # The stream that it carries knows when it is forgotten.
        self._replies = None
        if member is not None:
            self._carrier.give_back(member, True)

    def __del__(self) -> None:
        if self._member is not None:
            # From whichever thread collects it.
            loop = self._member.carrier.channel.loop
            member, self._member = self._member, None
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._carrier.give_back, member, True)


class Pool:
    """The way to a service over several connections, for the tasks of one event loop.

        async with aio.Pool("unix:/run/org.example.ping") as pool:
            ping = await pool.open("org.example.ping")

    A handler may be used by any number of tasks. A call goes over the connection on which the fewest wait;
    while some do on each of them, another is made, up to ``size``. A stream has a connection for itself until
    it ends or is left; waiting for one takes from the time of the call. A connection that has ended is
    replaced; a call that may have been sent is never repeated. ``_upgrade=True`` takes a connection out of
    the pool.

    The other arguments, and the errors, are those of Client.
    """

    def __init__(
        self,
        address: str,
        *,
        size: int = 8,
        timeout: float | None = None,
        limits: Limits | None = None,
        strict: bool | None = None,
        interceptors: Iterable[Interceptor] = (),
    ) -> None:
        if size < 1:
            raise ValueError(f"A pool of {size} connections carries no calls: give 1 or more.")
        self._client = Client(
            address, timeout=timeout, limits=limits, strict=strict, interceptors=interceptors
        )
        self._carrier = PoolCarrier(self._client.new_carrier, size, self._client.timeout)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    def __str__(self) -> str:
        return str(self._client)

    async def close(self) -> None:
        """Close all connections. Calls that wait, for a reply or for their turn, get ConnectionLost."""
        self._carrier.end()
        await self._client.close()

    @overload
    async def open(self, interface_name: type[_Typed]) -> _Typed: ...
    @overload
    async def open(self, interface_name: str, namespaced: bool = False) -> Any: ...
    async def open(self, interface_name: Any, namespaced: bool = False) -> Any:
        """A handler with the methods of an interface, as Client.open() returns it. It need not be closed."""
        check_class(interface_name)
        if isinstance(interface_name, type):
            return interface_name(self._carrier)
        definition = await self._client.definition(interface_name)
        return ClientInterfaceHandler(definition, self._carrier, namespaced)

    @property
    def info(self) -> dict[str, Any]:
        """What GetInfo told get_interfaces(), {} before."""
        return self._client.info

    async def get_interfaces(self) -> list[str]:
        """The names of the service's interfaces; ``info`` then has all that GetInfo told."""
        return await self._client.get_interfaces()

    async def get_interface(self, interface_name: str) -> Interface:
        """Ask the service for the definition of an interface, and remember it for open()."""
        return await self._client.get_interface(interface_name)

    def add_interface(self, interface: Interface) -> None:
        """Have open() use this definition, instead of asking the service for it."""
        self._client.add_interface(interface)
