"""Serve org.example.ping in one of the ways that fastvarlink has.

Usage: way_service.py serve|own|asyncio|uvloop plain|coroutine none|counted ADDRESS
serve is service.serve(), own, asyncio and uvloop are serve_async() in an event loop. plain and coroutine say
what answers Ping; Sleep blocks always. With counted there is an interceptor. Prints "ready" once it accepts.
"""

import asyncio
import importlib
import sys
import time
from typing import Any

import fastvarlink

DEFINITION = """
interface org.example.ping
method Ping(ping: string) -> (pong: string)
method Sleep(milliseconds: int) -> ()
"""


class Sleep:
    """What both have."""

    def Sleep(self, milliseconds: int) -> dict[str, Any]:
        """Hold up the thread."""
        time.sleep(milliseconds / 1000)
        return {}


class Plain(Sleep):
    """Ping is a function."""

    def Ping(self, ping: str) -> dict[str, str]:
        """Answer with what was given."""
        return {"pong": ping}


class Awaited(Sleep):
    """Ping is a coroutine, and waits for nothing."""

    async def Ping(self, ping: str) -> dict[str, str]:
        """Answer with what was given."""
        return {"pong": ping}


class Counter(fastvarlink.Interceptor):
    """Does next to nothing."""

    calls = 0

    def call(self, _call: Any) -> None:
        """Count one more."""
        self.calls += 1


def main() -> None:
    """Serve until the process is ended."""
    _, way, handlers, intercepted, address = sys.argv
    service = fastvarlink.Service(interceptors=[Counter()] if intercepted == "counted" else [])
    service.interface(DEFINITION)({"plain": Plain, "coroutine": Awaited}[handlers])

    def ready() -> None:
        print("ready", flush=True)

    if way == "serve":
        service.serve(address, ready=ready)
        return
    where, name = {
        "asyncio": ("asyncio", "SelectorEventLoop"),
        "uvloop": ("uvloop", "new_event_loop"),
        "own": ("fastvarlink.aio", "EventLoop"),
    }[way]
    with asyncio.Runner(loop_factory=getattr(importlib.import_module(where), name)) as runner:
        runner.run(service.serve_async(address, ready=ready))


main()
