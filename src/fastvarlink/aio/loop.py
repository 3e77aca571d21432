"""An event loop that serves Varlink connections by itself, while it waits."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable
from contextvars import Context
from typing import Any, TypeVarTuple, Unpack

from fastvarlink._core.hosted import HostedReactor

__all__ = ["EventLoop"]

_Ts = TypeVarTuple("_Ts")


class _Selector(selectors.EpollSelector):
    """Waits for a reactor and for the loop's own descriptors at once."""

    def __init__(self) -> None:
        super().__init__()
        self.reactor: HostedReactor | None = None
        self.report: Callable[[], None] = lambda: None

    def select(self, timeout: float | None = None) -> Any:
        """As of any selector. What belongs to the reactor is done meanwhile."""
        if self.reactor is None:
            return super().select(timeout)
        try:
            if self.reactor.wait_for_loop(-1 if timeout is None else max(timeout, 0)):
                return super().select(0)
        except Exception:
            self.report()
        return []


class EventLoop(asyncio.SelectorEventLoop):
    """asyncio's own event loop. Where a service is served in it, calls do not make it turn.

        with asyncio.Runner(loop_factory=aio.EventLoop) as runner:
            runner.run(service.serve_async(ADDRESS))

    In other loops each call costs one turn of the loop.
    """

    def __init__(self) -> None:
        self._waits = _Selector()
        super().__init__(self._waits)

    def lend(self, reactor: HostedReactor, report: Callable[[], None]) -> bool:
        """Have the reactor wait in the place of the loop. False if another one does already.

        ``report()`` is called where what the reactor does has raised an exception.
        """
        if self._waits.reactor is not None:
            return False
        reactor.wait_in(self._waits.fileno())
        self._waits.reactor, self._waits.report = reactor, report
        return True

    def take_back(self) -> None:
        """The loop waits by itself again."""
        self._waits.reactor = None

    def call_soon(
        self, callback: Callable[[Unpack[_Ts]], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """As of any loop."""
        if self._waits.reactor is not None:
            self._waits.reactor.interrupt()
        return super().call_soon(callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[[Unpack[_Ts]], object],
        *args: *_Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """As of any loop."""
        if self._waits.reactor is not None:
            self._waits.reactor.interrupt()
        return super().call_at(when, callback, *args, context=context)
