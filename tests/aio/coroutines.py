"""A service whose handlers are coroutines, and functions."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import fastvarlink

INTERFACE = "org.example.coroutines"
NAME: contextvars.ContextVar[str] = contextvars.ContextVar("NAME", default="nobody")
Run = Callable[[Callable[[], Awaitable[None]]], None]


@fastvarlink.interface(INTERFACE)
class Handlers:
    """What the tests call."""

    def __init__(self) -> None:
        self.seen: list[Any] = []
        self.waiting = asyncio.Event()
        self.go = asyncio.Event()
        self.ended = asyncio.Event()
        self.over = threading.Event()

    @fastvarlink.method(returns="text")
    async def Now(self, text: str) -> str:
        self.seen.append(asyncio.current_task())
        return text

    @fastvarlink.method(returns="text")
    async def Later(self, text: str) -> str:
        task = asyncio.current_task()
        for _ in range(3):
            await asyncio.sleep(0)
            assert asyncio.current_task() is task
        return text

    @fastvarlink.method(returns="text")
    def Plain(self, text: str) -> str:
        self.seen.append(threading.current_thread())
        return text

    @fastvarlink.method(returns="ran_out")
    async def WithTimeout(self, wait: bool) -> bool:
        try:
            async with asyncio.timeout(0.01):
                if wait:
                    await asyncio.Event().wait()
            return False
        except TimeoutError:
            return True

    @fastvarlink.method(returns="sum")
    async def InGroup(self, numbers: list[int]) -> int:
        async def twice(number: int) -> int:
            await asyncio.sleep(0)
            return 2 * number

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(twice(number)) for number in numbers]
        return sum(task.result() for task in tasks)

    @fastvarlink.method(returns="before")
    async def SetName(self, name: str, wait: bool) -> str:
        before = NAME.get()
        NAME.set(name)
        if wait:
            await asyncio.sleep(0)
        assert NAME.get() == name
        return before

    @fastvarlink.method(returns="i")
    async def Count(self, n: int, wait: bool) -> AsyncIterator[int]:
        task = asyncio.current_task()
        for i in range(n):
            if wait:
                await asyncio.sleep(0)
            assert asyncio.current_task() is task
            assert NAME.get() == (str(i - 1) if i else "nobody")
            NAME.set(str(i))
            yield i

    @fastvarlink.method(returns="i")
    def PlainCount(self, n: int) -> Iterator[int]:
        yield from range(n)

    async def Hang(self) -> None:
        try:
            self.waiting.set()
            await self.go.wait()
        except BaseException as end:
            self.seen.append(end)
            # What comes to its end may wait for something, too.
            await asyncio.sleep(0)
            raise
        finally:
            self.ended.set()
            self.over.set()

    @fastvarlink.method(returns="i", live=True)
    async def HangInStream(self, where: str) -> AsyncIterator[int]:
        try:
            yield 1
            if where == "await":
                self.waiting.set()
                await self.go.wait()
            while True:
                yield 2
        except BaseException as end:
            self.seen.append(end)
            await asyncio.sleep(0)
            raise
        finally:
            self.ended.set()
            self.over.set()

    async def Fail(self, wait: bool) -> None:
        if wait:
            await asyncio.sleep(0)
        raise RuntimeError("a secret of the service")

    async def CancelItself(self, wait: bool) -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        if wait:
            await asyncio.sleep(0)

    def Block(self) -> None:
        self.seen.append(threading.current_thread())
        self.blocked.set()
        assert self.unblock.wait(30)

    blocked = threading.Event()
    unblock = threading.Event()
