"""Handlers that are coroutines, where no event loop runs: by a loop on a thread of its own."""

from __future__ import annotations

import os
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import Future
from importlib import import_module
from queue import SimpleQueue
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
        future: Future[Any] = _asyncio().run_coroutine_threadsafe(coroutine, self._started())
        try:
            return future.result()
        finally:
            # A signal may have ended the wait.
            future.cancel()

    def iterate(self, replies: AsyncIterator[Any]) -> Iterator[Any]:
        """What an asynchronous iterator gives, one after the other. All of it is awaited by one task."""
        loop = self._started()
        wanted: asyncio.Queue[bool] = _asyncio().Queue()
        given: SimpleQueue[tuple[bool, Any]] = SimpleQueue()
        _asyncio().run_coroutine_threadsafe(_give(replies, wanted, given), loop)
        more = True
        try:
            while True:
                loop.call_soon_threadsafe(wanted.put_nowait, True)
                more, value = given.get()
                if not more:
                    if value is not None:
                        raise value
                    return
                yield value
        finally:
            if more:
                loop.call_soon_threadsafe(wanted.put_nowait, False)
                _, failure = given.get()
                if failure is not None:
                    raise failure

    def _started(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            # A fork has none of the threads of its parent.
            if self._loop is None or self._process != os.getpid():
                self._process = os.getpid()
                self._loop = _asyncio().new_event_loop()
                threading.Thread(target=self._loop.run_forever, name="fastvarlink loop", daemon=True).start()
            return self._loop


def _asyncio() -> Any:
    # Imported when something has to be awaited: it takes long, and most services do without.
    return import_module("asyncio")


async def _give(replies: Any, wanted: asyncio.Queue[bool], given: SimpleQueue[tuple[bool, Any]]) -> None:
    """Put what is wanted into ``given``, and at last that there is no more, with what has gone wrong."""
    try:
        while await wanted.get():
            given.put((True, await anext(replies)))
        if hasattr(replies, "aclose"):
            await replies.aclose()
    except StopAsyncIteration:
        pass
    except BaseException as failure:
        given.put((False, failure))
        return
    given.put((False, None))
