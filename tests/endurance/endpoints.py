"""Connections of programs that have thousands: plain sockets, and how long calls take on them."""

from __future__ import annotations

import resource
import socket
import time
from collections.abc import Sequence

from wire.rawstream import call

INTERFACE = "org.example.endurance"
PING = call(f"{INTERFACE}.Ping", {"text": "hello"})
PONG = b'{"parameters":{"text":"hello"}}\0'

# A loaded machine; reaching it means that something hangs.
PATIENCE = 60.0


def raise_limit() -> None:
    """Have as many descriptors as the system allows."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def connected(path: str) -> socket.socket:
    """A connection. It waits where the server has not kept up with accepting; a time limit would not."""
    endpoint = socket.socket(socket.AF_UNIX)
    endpoint.connect(path)
    endpoint.settimeout(PATIENCE)
    return endpoint


def ping(endpoint: socket.socket) -> None:
    """One call, whose reply is checked."""
    endpoint.sendall(PING)
    reply = b""
    while not reply.endswith(b"\0"):
        data = endpoint.recv(1 << 16)
        if not data:
            raise ConnectionError("The server has closed the connection.")
        reply += data
    if reply != PONG:
        raise AssertionError(f"A wrong reply: {reply!r}")


def latencies(endpoints: Sequence[socket.socket], seconds: float) -> list[float]:
    """Microseconds that calls take, one after the other on one connection after the other, sorted."""
    taken = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for endpoint in endpoints:
            began = time.perf_counter_ns()
            ping(endpoint)
            taken.append((time.perf_counter_ns() - began) / 1000)
    return sorted(taken)
