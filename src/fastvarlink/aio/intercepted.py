"""Calls with interceptors around them, awaited."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Self

from fastvarlink._core.intercepted import InterceptedPlan

__all__ = ["InterceptedStream", "intercepted"]


async def intercepted(
    plan: InterceptedPlan, namespaced: bool, make: Callable[[InterceptedPlan, bytes], Awaitable[Any]]
) -> Any:
    """What a call comes to. ``make(plan, parameters)`` makes it, unless an interceptor does otherwise."""
    try:
        answer = await _ask(plan)
        if answer is not None:
            return plan.answered(answer, namespaced)
        return await make(plan, plan.to_send())
    except BaseException as failure:
        raise plan.failed(failure) from failure.__cause__
    finally:
        plan.end()


async def _ask(plan: InterceptedPlan) -> Any:
    while True:
        answer = plan.begin()
        if asyncio.iscoroutine(answer):
            # In the context of the call, as all that the interceptors do.
            answer = await asyncio.get_running_loop().create_task(answer, context=plan.variables)
            if answer is None:
                # The next one is asked.
                continue
        return answer


class InterceptedStream(AsyncIterator[Any]):
    """The replies to a call with more, as TaskStream has them."""

    def __init__(
        self, plan: InterceptedPlan, namespaced: bool, make: Callable[[InterceptedPlan, bytes], Any]
    ) -> None:
        self._plan = plan
        self._namespaced = namespaced
        self._make = make
        self._replies: Any = None
        self._over = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        if self._over:
            raise StopAsyncIteration
        try:
            if self._replies is None:
                answer = await _ask(self._plan)
                if answer is not None:
                    self._over = True
                    return self._plan.answered(answer, self._namespaced)
                self._replies = self._make(self._plan, self._plan.to_send())
            return await anext(self._replies)
        except StopAsyncIteration:
            self._over = True
            self._plan.end()
            raise
        except BaseException as failure:
            self._over = True
            raise self._plan.failed(failure) from failure.__cause__

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Leave the stream. Before its end this closes the connection."""
        self._over = True
        if self._replies is not None:
            await self._replies.aclose()
        self._plan.end()

    def __del__(self) -> None:
        self._plan.end()
