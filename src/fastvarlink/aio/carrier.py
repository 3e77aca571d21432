"""Carries calls over one connection after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from types import EllipsisType
from typing import Any
from weakref import WeakSet

from fastvarlink._core.call import CallPlan
from fastvarlink._core.control import Descriptors
from fastvarlink._core.deadline import checked_timeout
from fastvarlink._core.intercepted import intercept_call
from fastvarlink._core.interception import Interception
from fastvarlink._core.taskcalls import PendingCall, TaskStream
from fastvarlink._core.taskchannel import TaskChannel
from fastvarlink.aio.deadline import in_time
from fastvarlink.aio.intercepted import InterceptedStream, intercepted

__all__ = ["Carrier", "SharedCarrier"]

_NONE: dict[str, Any] = {}


class Carrier:
    """Carries calls over a connection of its own.

    ``reconnect`` makes a new one for the calls that come after a call or a stream was given up; None if there
    is no way to. ``timeout`` is the limit of calls that do not bring their own, in seconds.
    """

    def __init__(
        self,
        channel: TaskChannel,
        reconnect: Callable[[], Awaitable[TaskChannel]] | None,
        timeout: float | None = None,
        interception: Interception | None = None,
    ) -> None:
        self.channel = channel
        self._interception = interception
        self._timeout = timeout
        self._reconnect = reconnect
        self._turn = asyncio.Lock()
        # Connections that make no more calls, while some are still waited for.
        self._last: WeakSet[TaskChannel] = WeakSet()

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
        """Call a method: an awaitable of its result or, with ``more``, an iterator of its replies."""
        limit = self._timeout if timeout is ... else checked_timeout(timeout)

        def make(plan: CallPlan, parameters: bytes) -> Any:
            if more:
                return TaskStream(self, plan, parameters, namespaced, limit, descriptors)
            return PendingCall(self, plan, parameters, namespaced, oneway, limit, descriptors, upgrade)

        if self._interception is None:
            return make(plan, plan.parameters(arguments, keywords))
        own = intercept_call(self._interception, plan, arguments, dict(keywords), more, oneway, upgrade)
        return (InterceptedStream if more else intercepted)(own, namespaced, make)

    async def ready(self, method: str, timeout: float | None) -> None:
        """Wait until the channel can send a call. OSError if a new one is needed and cannot be made."""
        async with in_time(timeout, f"{method} was not sent", method):
            while self.channel.is_left or self.channel.blocked:
                if self.channel.is_left and self._reconnect is not None:
                    await self._renew()
                elif self.channel.blocked:
                    await self.channel.written()
                else:
                    break
        self.channel.check()

    async def _renew(self) -> None:
        async with self._turn:
            # Another call may have done so meanwhile.
            if not self.channel.is_left or self._reconnect is None:
                return
            last = self.channel
            self.channel = await self._reconnect()
            self._last.add(last)
            last.retire()
            if self._reconnect is None:
                # close() came in between.
                self.channel.close()

    def close(self) -> None:
        """Close the connection. Calls that wait for a reply fail."""
        self._reconnect = None
        for channel in [*self._last, self.channel]:
            channel.close()

    def __del__(self) -> None:
        self.channel.forsake("Its handler was not closed.")


class SharedCarrier(Carrier):
    """Carries calls over the only connection of a client, which outlives the handlers that make them."""

    def __init__(
        self, channel: TaskChannel, timeout: float | None = None, interception: Interception | None = None
    ) -> None:
        super().__init__(channel, None, timeout, interception)

    def close(self) -> None:
        """Leave the connection as it is."""
