"""Blocks of a task that may only take so long."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastvarlink.error import DeadlineExceeded

__all__ = ["in_time"]

# uvloop counts milliseconds, and its timers come up to two of them too early.
_EARLY = 0.002


@asynccontextmanager
async def in_time(timeout: float | None, what: str, method: str | None = None) -> AsyncIterator[None]:
    """DeadlineExceeded, which says ``what`` has not happened, if the block takes longer than that."""
    try:
        async with asyncio.timeout(None if timeout is None else timeout + _EARLY) as limit:
            yield
    except TimeoutError as failure:
        if timeout is None or not limit.expired():
            raise
        raise DeadlineExceeded(f"{what} within {round(timeout, 5):g} seconds.", method, timeout) from failure
