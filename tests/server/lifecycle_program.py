"""A service that is served by serve(). The first argument has its options as JSON; addresses follow."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

import fastvarlink

service = fastvarlink.Service(vendor="Example", product="Lifecycle", version="1", url="https://example.com")


@service.interface(
    """interface org.example.lifecycle
method Ping(text: string) -> (text: string)
method Hold(gate: string) -> (text: string)
method Follow(stubborn: bool) -> (i: int)
method Shout() -> ()
"""
)
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


if __name__ == "__main__":
    options = json.loads(sys.argv[1])
    service.serve(*sys.argv[2:], ready=lambda: print("ready", flush=True), **options)
    print("returned", flush=True)
