"""What threads and tasks sleep on, so that any thread can wake any number of either."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Future

__all__ = ["Sleeper", "TaskSleeper", "ThreadSleeper", "running_loop", "wake"]


class ThreadSleeper:
    """What a thread sleeps on. When it is woken before, it does not go to sleep the next time."""

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lock.acquire()

    def sleep(self, seconds: float) -> None:
        """Sleep, for so long at most; -1 is for ever."""
        self._lock.acquire(timeout=seconds)

    def wake(self) -> None:
        """Wake it, from any thread."""
        # RuntimeError: somebody else has.
        with contextlib.suppress(RuntimeError):
            self._lock.release()


class TaskSleeper:
    """The same for a task of the event loop that runs now."""

    __slots__ = ("_awake", "_future", "loop")

    def __init__(self) -> None:
        loop = running_loop()
        assert loop is not None
        self.loop = loop
        self._awake = False
        self._future: Future[None] | None = None

    async def sleep(self) -> None:
        """Sleep."""
        if not self._awake:
            self._future = self.loop.create_future()
            try:
                await self._future
            finally:
                self._future = None
        self._awake = False

    def wake(self) -> None:
        """Wake it, from its own event loop."""
        self._awake = True
        if self._future is not None and not self._future.done():
            self._future.set_result(None)


Sleeper = ThreadSleeper | TaskSleeper


def wake(sleepers: Iterable[Sleeper]) -> None:
    """Wake all of them, from any thread or signal handler: the tasks of a loop by one message to it."""
    tasks: dict[AbstractEventLoop, list[TaskSleeper]] = {}
    for sleeper in sleepers:
        if isinstance(sleeper, TaskSleeper):
            tasks.setdefault(sleeper.loop, []).append(sleeper)
        else:
            sleeper.wake()
    for loop, of_loop in tasks.items():
        # RuntimeError: the loop is closed, and nothing in it waits any more.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(_wake_tasks, of_loop)


def _wake_tasks(tasks: list[TaskSleeper]) -> None:
    for task in tasks:
        task.wake()


def running_loop() -> AbstractEventLoop | None:
    """The event loop that runs in this thread, if one does."""
    import asyncio  # noqa: PLC0415  # whoever never needs it need not wait for it at the start

    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
