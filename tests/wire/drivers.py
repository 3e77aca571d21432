"""The ways to serve that the tests of the wire rules run over."""

from __future__ import annotations

import asyncio
import functools
import inspect
import os
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import uvloop

import fastvarlink
from fastvarlink import address as addresses
from fastvarlink import aio
from fastvarlink.aio.server import LoopServer
from fastvarlink.server.listening import Listening
from fastvarlink.server.program import Manager, Settings

from .rawstream import PATIENCE

#: Plain handlers on the threads of a ThreadingServer; in an event loop, plain handlers on threads beside it,
#: handlers that are coroutines and do not wait, and such that always wait. FASTVARLINK_DRIVERS names those
#: that are to be tested, where not all are.
DRIVERS = tuple(os.environ.get("FASTVARLINK_DRIVERS", "threads loop coroutines tasks").split())

_LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "loop": asyncio.new_event_loop,
    "coroutines": aio.EventLoop,
    "tasks": uvloop.new_event_loop,
}
_END = object()


def in_loop(handlers: type[Any], waits: bool) -> type[Any]:
    """The same handlers as coroutines. Those that come to the gate wait for it on a thread."""
    own = {
        name: _as_coroutine(value, waits)
        for name, value in vars(handlers).items()
        if inspect.isfunction(value) and not name.startswith("_")
    }
    return type(handlers.__name__, (handlers,), own)


def _as_coroutine(function: Callable[..., Any], waits: bool) -> Callable[..., Any]:
    blocks = "pass_gate" in function.__code__.co_names

    async def run(step: Callable[..., Any], *arguments: Any) -> Any:
        if blocks:
            return await asyncio.to_thread(step, *arguments)
        if waits:
            await asyncio.sleep(0)
        return step(*arguments)

    if not inspect.isgeneratorfunction(function):

        @functools.wraps(function)
        async def answer(*args: Any, **kwargs: Any) -> Any:
            return await run(functools.partial(function, *args, **kwargs))

        return answer

    @functools.wraps(function)
    async def stream(*args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        replies = function(*args, **kwargs)
        try:
            while (reply := await run(next, replies, _END)) is not _END:
                yield reply
        except BaseException as end:
            # As if it were the generator itself that is left.
            if inspect.getgeneratorstate(replies) == inspect.GEN_SUSPENDED:
                replies.throw(end)
            raise

    return stream


class LoopThread:
    """A server in an event loop, in a thread until stop()."""

    def __init__(
        self, driver: str, service: Any, address: str, limits: fastvarlink.Limits | None, strict: bool
    ) -> None:
        self._ready = threading.Event()
        self._listening = Listening()
        try:
            self._listening.open((address,), 1024, connections=False)
        except BaseException:
            self._listening.close()
            raise
        settings = Settings(limits or fastvarlink.Limits(), strict, None, 10.0)
        self._server = LoopServer(service, self._listening, settings, Manager(self._ready.set))
        parsed = addresses.parse(address)
        #: What the socket is bound to, as a ThreadingServer tells it.
        self.server_address = (
            self._listening.endpoints[0].getsockname()
            if isinstance(parsed, addresses.TCP)
            else parsed.sockaddr.replace("\0", "@")
        )
        self._driver = driver
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="sample loop", daemon=True)
        self._thread.start()
        assert self._ready.wait(PATIENCE)

    def fileno(self) -> int:
        """The descriptor of the listening socket."""
        return self._listening.endpoints[0].fileno()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=_LOOPS[self._driver]) as runner:
            self._loop = runner.get_loop()
            runner.run(self._serve())

    async def _serve(self) -> None:
        await self._server.serve_in_loop()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, f"{left} are left."

    def stop(self) -> None:
        """Stop serving and close; all of it is over on return."""
        if self._stopped:
            return
        self._stopped = True
        self._loop.call_soon_threadsafe(self._server.shutdown)
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), "The server has not ended after shutdown()."
        self._server.server_close()
        self._listening.close()
