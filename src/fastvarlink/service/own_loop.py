"""Handlers that are coroutines, where no event loop runs: by a loop on a thread of its own."""

from __future__ import annotations

import os
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio

__all__ = ["OwnLoop"]


class OwnLoop:
    """An event loop that is started when something has to be awaited, and lives as long as the program.

    Each call costs a trip to its thread and back, and the calling thread waits meanwhile: aio.serve() runs
    such handlers where they are.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._process = 0

    def wait_for(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """What a coroutine comes to. Raises what it raises."""
        # Not before it is needed: it takes long to import.
        import asyncio

        return asyncio.run_coroutine_threadsafe(coroutine, self._started()).result()

    def iterate(self, replies: AsyncIterator[Any]) -> Iterator[Any]:
        """What an asynchronous iterator gives, one after the other."""
        try:
            while True:
                given, value = self.wait_for(_next(replies))
                if not given:
                    return
                yield value
        finally:
            self.wait_for(_close(replies))

    def _started(self) -> asyncio.AbstractEventLoop:
        import asyncio

        with self._lock:
            # A fork has none of the threads of its parent.
            if self._loop is None or self._process != os.getpid():
                self._process = os.getpid()
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, name="fastvarlink loop", daemon=True).start()
            return self._loop


async def _next(replies: AsyncIterator[Any]) -> tuple[bool, Any]:
    try:
        return True, await anext(replies)
    except StopAsyncIteration:
        return False, None


async def _close(replies: Any) -> None:
    if hasattr(replies, "aclose"):
        await replies.aclose()
