"""Connections that send a byte a second of a call: drippers.py PATH COUNT.

For each line on its input it connects them, says so, has them drip until all are cut, and tells how many
bytes went, and how many seconds after its first byte each was cut, in rising order.
"""

from __future__ import annotations

import json
import os
import select
import sys
import time
from collections import deque

from .endpoints import PATIENCE, PING, connected, raise_limit


def drip(path: str, count: int) -> tuple[int, list[float]]:
    endpoints = {endpoint.fileno(): endpoint for endpoint in (connected(path) for _ in range(count))}
    print(json.dumps("connected"), flush=True)
    watch = select.epoll()
    start = time.monotonic()
    # They begin one after the other within a second, so that the bytes come evenly.
    due = deque((start + i / count, fd, 0) for i, fd in enumerate(endpoints))
    began: dict[int, float] = {}
    cut: list[float] = []
    sent = 0
    for fd in endpoints:
        watch.register(fd, select.EPOLLRDHUP)
    while endpoints and time.monotonic() < start + PATIENCE:
        for fd, _ in watch.poll(max(0.0, due[0][0] - time.monotonic()) if due else 1.0):
            cut.append(time.monotonic() - began[fd])
            watch.unregister(fd)
            endpoints.pop(fd).close()
        while due and due[0][0] <= time.monotonic():
            at, fd, i = due.popleft()
            if fd not in endpoints:
                continue
            began.setdefault(fd, time.monotonic())
            try:
                sent += endpoints[fd].send(PING[i : i + 1])
            except (BrokenPipeError, ConnectionResetError):
                # The cut is on its way.
                continue
            if i + 2 < len(PING):
                due.append((at + 1, fd, i + 1))
    return sent, sorted(cut)


def main() -> None:
    raise_limit()
    # What they cost themselves is not to count: they take a core when it is free, but not away from others.
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    for _ in sys.stdin:
        print(json.dumps(drip(sys.argv[1], int(sys.argv[2]))), flush=True)


main()
