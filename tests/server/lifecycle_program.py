"""A service that is served by serve(). The first argument has its options as JSON; addresses follow.

LIFECYCLE=loop in the environment makes its handlers coroutines, so that it is served in an event loop.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any

import fastvarlink

service = fastvarlink.Service(vendor="Example", product="Lifecycle", version="1", url="https://example.com")


DESCRIPTION = """interface org.example.lifecycle
method Ping(text: string) -> (text: string)
method Hold(gate: string) -> (text: string)
method Follow(stubborn: bool) -> (i: int)
method Shout() -> ()
"""


class Lifecycle:
    def Ping(self, text: str) -> dict[str, Any]:
        return {"text": text}

    def Hold(self, gate: str) -> dict[str, Any]:
        """Waits until somebody writes into the FIFO."""
        print("held", flush=True)
        with open(gate, encoding="utf-8") as fifo:
            return {"text": fifo.read()}

    def Follow(self, stubborn: bool, _context: fastvarlink.Context) -> Iterator[dict[str, Any]]:
        i = 0
        try:
            while stubborn or not _context.stopping:
                i += 1
                yield {"i": i, "_continues": True}
            yield {"i": 0}
        finally:
            print("left", flush=True)

    @fastvarlink.method(upgrade=True)
    def Shout(self, _context: fastvarlink.Context) -> dict[str, Any]:
        def shout(connection: Any) -> None:
            while data := connection.recv(4096):
                connection.sendall(data.upper())

        _context.take_over(shout)
        return {}


class Awaited(Lifecycle):
    async def Ping(self, text: str) -> dict[str, Any]:  # type: ignore[override]
        return {"text": text}

    async def Hold(self, gate: str) -> dict[str, Any]:  # type: ignore[override]
        return await asyncio.to_thread(super().Hold, gate)

    async def Follow(  # type: ignore[override]
        self, stubborn: bool, _context: fastvarlink.Context
    ) -> AsyncIterator[dict[str, Any]]:
        i = 0
        try:
            while stubborn or not _context.stopping:
                i += 1
                await asyncio.sleep(0)
                yield {"i": i, "_continues": True}
            yield {"i": 0}
        finally:
            print("left", flush=True)


service.interface(DESCRIPTION)(Awaited if os.environ.get("LIFECYCLE") == "loop" else Lifecycle)


if __name__ == "__main__":
    options = json.loads(sys.argv[1])
    service.serve(*sys.argv[2:], ready=lambda: print("ready", flush=True), **options)
    print("returned", flush=True)
