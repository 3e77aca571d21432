"""Clients that behave: good.py PATH COUNT. For ``SECONDS`` on its input it tells how long calls take."""

from __future__ import annotations

import json
import sys

from .endpoints import connected, latencies, ping


def main() -> None:
    path, count = sys.argv[1], int(sys.argv[2])
    endpoints = [connected(path) for _ in range(count)]
    for endpoint in endpoints:
        ping(endpoint)
    for command in sys.stdin:
        taken = latencies(endpoints, float(command))
        figures = {
            "calls": len(taken),
            "median": taken[len(taken) // 2],
            "p99": taken[len(taken) * 99 // 100],
            "max": taken[-1],
        }
        print(json.dumps(figures), flush=True)


main()
