"""Coroutines that have taken connections over, as tasks of the event loop that serves."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable
from contextvars import copy_context
from socket import socket
from typing import Any

from fastvarlink.server.connections import CLOSED_BY_ERROR, end

__all__ = ["TakeoverTasks"]

logger = logging.getLogger("fastvarlink.server")


class TakeoverTasks:
    """The tasks of the running loop in which connections are that have left the server."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._context = copy_context()
        self._tasks: set[asyncio.Task[None]] = set()
        self._lock = threading.Lock()
        self._closed = False

    def start(self, function: Callable[[Any], Any], endpoint: socket, ended: Callable[[], None]) -> None:
        """Have a task await function(endpoint), and then call ended(). May be called by any thread."""
        with self._lock:
            if not self._closed:
                # RuntimeError: the loop has been closed while something ran on a thread.
                with contextlib.suppress(RuntimeError, MemoryError):
                    self._loop.call_soon_threadsafe(
                        self._begin, function, endpoint, ended, context=self._context
                    )
                    return
        end(endpoint)
        ended()

    def _begin(self, function: Callable[[Any], Any], endpoint: socket, ended: Callable[[], None]) -> None:
        try:
            task = self._loop.create_task(_run(function, endpoint))
            self._tasks.add(task)
        except MemoryError:
            end(endpoint)
            ended()
            raise

        # Not by the coroutine: one that is cancelled before its first step does nothing any more.
        def over(task: asyncio.Task[None]) -> None:
            self._tasks.discard(task)
            end(endpoint)
            ended()

        task.add_done_callback(over)

    async def close(self) -> None:
        """Cancel all, and wait for their end."""
        with self._lock:
            self._closed = True
        # Those that have been told to the loop become tasks.
        await asyncio.sleep(0)
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)


async def _run(function: Callable[[Any], Any], endpoint: socket) -> None:
    try:
        endpoint.setblocking(False)
        await function(endpoint)
    except Exception:
        logger.exception(CLOSED_BY_ERROR)
