"""Runs the coroutine of a test, and sees that nothing is left of it."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import uvloop

import fastvarlink
from fastvarlink import aio
from wire.rawstream import PATIENCE
from wire.sample import DESCRIPTION, INTERFACE
from wire.scripted import ScriptedPeer

LOOPS = {"asyncio": asyncio.new_event_loop, "own": aio.EventLoop, "uvloop": uvloop.new_event_loop}


def sockets() -> int:
    """How many sockets this process has open."""
    count = 0
    for descriptor in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            count += os.readlink(f"/proc/self/fd/{descriptor}").startswith("socket:")
    return count


def run(main: Callable[[], Coroutine[Any, Any, None]], loop: str = "asyncio", debug: bool = True) -> None:
    """Run main() in a loop of its own; fail for what is left or has only been told to the loop.

    A socket that stays open shows as a TimeoutError.
    """
    reports: list[dict[str, Any]] = []

    async def whole() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, report: reports.append(report))
        before = sockets()
        async with asyncio.timeout(3 * PATIENCE):
            await main()
            gc.collect()
            await settle()
            # A server in a thread closes its ends in time.
            while sockets() > before:
                await asyncio.sleep(0.01)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    with asyncio.Runner(loop_factory=LOOPS[loop], debug=debug) as runner:
        runner.run(whole())
    gc.collect()
    assert reports == []


async def settle() -> None:
    """Let the loop and all tasks do what can be done now."""
    for _ in range(10):
        await asyncio.sleep(0)


async def happens(event: threading.Event) -> None:
    """Wait until another thread has set the event."""
    assert await asyncio.to_thread(event.wait, PATIENCE)


async def finished(peer: ScriptedPeer) -> None:
    """Wait for the scripts of the peer and raise what went wrong in them."""
    await asyncio.to_thread(peer.finish)


@asynccontextmanager
async def opened(peer: ScriptedPeer, **options: Any) -> AsyncIterator[Any]:
    """A handler of the sample interface at the peer. In the end the client closes it."""
    async with aio.Client(peer.address) as client:
        for name, value in options.items():
            setattr(client, name, value)
        client.add_interface(fastvarlink.Interface(DESCRIPTION))
        yield await client.open(INTERFACE)
    await finished(peer)
