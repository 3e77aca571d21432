"""The asyncio client, called as the blocking one is: its event loop runs in a thread beside the test."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Self

import uvloop

import fastvarlink
from fastvarlink import aio

from .rawstream import PATIENCE

LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,
}


class LoopInThread:
    """An event loop that runs in a thread until stop(). What goes wrong in its callbacks, check() raises."""

    def __init__(self, kind: str) -> None:
        self.loop = LOOPS[kind]()
        self._reports: list[dict[str, Any]] = []
        self.loop.set_exception_handler(lambda _, report: self._reports.append(report))
        self._thread = threading.Thread(target=self._run, name=f"client in {kind}", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()

    def do(self, awaited: Coroutine[Any, Any, Any]) -> Any:
        """Run it in the loop: what it returns or raises."""
        return asyncio.run_coroutine_threadsafe(awaited, self.loop).result(PATIENCE)

    def check(self) -> None:
        """Nothing is left in the loop of what has been done there, and nothing has gone wrong."""
        self.do(self._check())
        reports, self._reports = self._reports, []
        assert reports == []

    async def _check(self) -> None:
        for _ in range(5):
            await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        selector = getattr(self.loop, "_selector", None)
        # One is the loop's own, by which other threads wake it.
        assert selector is None or len(selector.get_map()) == 1, "A socket is still open."

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), "The loop of the client does not stop."
        self.loop.close()


class AioClient:
    """As fastvarlink.Client, as far as the tests of the wire rules need it."""

    def __init__(self, thread: LoopInThread, address: str, **options: Any) -> None:
        self._thread = thread
        self._client = aio.Client(address, **options)
        self.add_interface = self._client.add_interface

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.cleanup()

    def open(self, interface: str) -> AioHandler:
        return AioHandler(self._thread, self._thread.do(self._client.open(interface)))

    def get_interface(self, interface: str) -> fastvarlink.Interface:
        found: fastvarlink.Interface = self._thread.do(self._client.get_interface(interface))
        return found

    def cleanup(self) -> None:
        self._thread.do(self._client.close())


class AioHandler:
    """A handler whose methods return results and iterators of replies."""

    def __init__(self, thread: LoopInThread, handler: Any) -> None:
        self._thread = thread
        self._handler = handler

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._handler, name)
        # A class of errors.
        return member if isinstance(member, type) else Method(self._thread, member)

    def close(self) -> None:
        self._thread.do(self._handler.close())


class Method:
    """A method that is called from another thread than the loop's."""

    def __init__(self, thread: LoopInThread, method: Callable[..., Any]) -> None:
        self._thread = thread
        self._method = method

    def __call__(self, *args: Any, _more: bool = False, **kwargs: Any) -> Any:
        async def call() -> Any:
            return await self._method(*args, **kwargs)

        if _more:
            return AioReplies(self._thread, self._method(*args, _more=True, **kwargs))
        return self._thread.do(call())


class AioReplies:
    """The replies of a stream, as an iterator."""

    def __init__(self, thread: LoopInThread, replies: Any) -> None:
        self._thread = thread
        self._replies = replies

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        async def take() -> tuple[Any, ...]:
            try:
                return (await anext(self._replies),)
            except StopAsyncIteration:
                return ()

        for reply in self._thread.do(take()):
            return reply
        raise StopIteration

    def close(self) -> None:
        self._thread.do(self._replies.aclose())
