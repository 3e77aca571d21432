"""Callers that never read: unread.py PATH COUNT METHOD PARAMETERS CALLS.

METHOD is called CALLS times, with ``more``, on COUNT connections. It says how many took all of the calls, and
for each line on its input how many of the connections are still open.
"""

from __future__ import annotations

import contextlib
import json
import select
import sys

from wire.rawstream import call

from .endpoints import INTERFACE, connected, raise_limit


def main() -> None:
    raise_limit()
    path, count, method, parameters, calls = sys.argv[1:]
    message = call(f"{INTERFACE}.{method}", json.loads(parameters), more=True) * int(calls)
    endpoints = [connected(path) for _ in range(int(count))]
    took = 0
    for endpoint in endpoints:
        endpoint.settimeout(0)
        # A server that holds them up, or has closed them.
        with contextlib.suppress(BlockingIOError, BrokenPipeError, ConnectionResetError):
            took += endpoint.send(message) == len(message)
    print(json.dumps(took), flush=True)
    watch = select.poll()
    for endpoint in endpoints:
        watch.register(endpoint, 0)
    for _ in sys.stdin:
        print(json.dumps(len(endpoints) - len(watch.poll(0))), flush=True)


main()
