"""Connections that are held: idle.py PATH. Commands: ``open COUNT``, ``call`` on each, ``close`` all."""

from __future__ import annotations

import json
import sys

from .endpoints import connected, ping, raise_limit


def main() -> None:
    raise_limit()
    endpoints = []
    for line in sys.stdin:
        match line.split():
            case ["open", count]:
                endpoints += [connected(sys.argv[1]) for _ in range(int(count))]
                # Connections are accepted in their order: when the last is served, all have been.
                ping(endpoints[-1])
            case ["call"]:
                for endpoint in endpoints:
                    ping(endpoint)
            case ["close"]:
                while endpoints:
                    endpoints.pop().close()
        print(json.dumps(len(endpoints)), flush=True)


main()
