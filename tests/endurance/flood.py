"""Calls without replies, as many as the server takes: flood.py PATH COUNT SECONDS.

For each line on its input it floods on so many connections for so long and tells how many whole calls it has
sent on all of them. When it has told, the server has carried out all of them.
"""

from __future__ import annotations

import contextlib
import json
import selectors
import sys
import time

from wire.rawstream import call

from .endpoints import INTERFACE, connected, ping

CALL = call(f"{INTERFACE}.Note", {"text": "x" * 60}, oneway=True)
CALLS = CALL * 500


def flood(path: str, count: int, seconds: float) -> int:
    endpoints = [connected(path) for _ in range(count)]
    sent = dict.fromkeys(endpoints, 0)
    with selectors.DefaultSelector() as selector:
        for endpoint in endpoints:
            endpoint.setblocking(False)
            selector.register(endpoint, selectors.EVENT_WRITE)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for key, _ in selector.select(1):
                endpoint = endpoints[endpoints.index(key.fileobj)]  # type: ignore[arg-type]
                with contextlib.suppress(BlockingIOError):
                    sent[endpoint] += endpoint.send(CALLS[sent[endpoint] % len(CALL) :])
    for endpoint in endpoints:
        endpoint.settimeout(60)
        if rest := -sent[endpoint] % len(CALL):
            endpoint.sendall(CALL[-rest:])
            sent[endpoint] += rest
        ping(endpoint)
        endpoint.close()
    return sum(sent.values()) // len(CALL)


def main() -> None:
    for _ in sys.stdin:
        print(json.dumps(flood(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))), flush=True)


main()
