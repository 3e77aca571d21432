"""Several workers against one, with handlers that compute: calls a second, and their ratio in each round.

    python bench/workers.py [WORKERS [ROUNDS [SECONDS]]]

Not one of `make bench`'s measurements: those are pinned to one core. One client process has sixteen
connections, and a call under way on each; handlers take about a millisecond.
"""

import json
import os
import select
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

SERVICE = Path(__file__).parent / "services" / "compute_service.py"
CONNECTIONS = 16
WARM_UP = 0.3
MILLISECOND = 0.001


def count_for(seconds: float) -> int:
    """How many numbers are added up in that time, on this machine."""
    best = float("inf")
    for _ in range(20):
        began = time.perf_counter()
        total = 0
        for number in range(10000):
            total += number
        best = min(best, time.perf_counter() - began)
    return round(10000 * seconds / best)


def calls_per_second(address: str, call: bytes, seconds: float) -> float:
    """Keep a call under way on every connection for so long."""
    poll = select.epoll()
    streams: dict[int, socket.socket] = {}
    for _ in range(CONNECTIONS):
        stream = socket.socket(socket.AF_UNIX)
        stream.connect(address)
        streams[stream.fileno()] = stream
        poll.register(stream, select.EPOLLIN)
        stream.sendall(call)
    answered, began = 0, time.perf_counter()
    end, warm = began + WARM_UP, False
    while (now := time.perf_counter()) < end or not warm:
        if now >= end:
            answered, began, end, warm = 0, now, now + seconds, True
        for fd, _ in poll.poll():
            reply = streams[fd].recv(4096)
            if not reply.endswith(b"}\0"):
                raise SystemExit(f"A call had no reply, but {reply!r}.")
            answered += 1
            streams[fd].sendall(call)
    figure = answered / (now - began)
    for stream in streams.values():
        stream.close()
    poll.close()
    return figure


def measure(workers: int, call: bytes, seconds: float) -> float:
    """Start the service, call it, and end it."""
    with tempfile.TemporaryDirectory(prefix="fvl-workers-") as folder:
        path = os.path.join(folder, "socket")
        with subprocess.Popen(
            [sys.executable, str(SERVICE), f"unix:{path}", str(workers)], stdout=subprocess.PIPE, text=True
        ) as service:
            assert service.stdout is not None
            if service.stdout.readline() != "ready\n":
                raise SystemExit("The service did not start.")
            try:
                return calls_per_second(path, call, seconds)
            finally:
                service.terminate()


def main() -> None:
    """Alternate, and print what each round shows."""
    workers, rounds, seconds = (*map(float, sys.argv[1:]), *(2, 9, 2)[len(sys.argv) - 1 :])
    count = count_for(MILLISECOND)
    call = json.dumps({"method": "org.example.compute.Sum", "parameters": {"count": count}}).encode() + b"\0"
    ratios = []
    for _ in range(int(rounds)):
        one, several = (measure(each, call, seconds) for each in (1, int(workers)))
        ratios.append(several / one)
        print(f"one {one:.0f}, {workers:.0f} workers {several:.0f}: {ratios[-1]:.2f} times", flush=True)
    print(f"median {median(ratios):.2f} times, {min(ratios):.2f} to {max(ratios):.2f}")


if __name__ == "__main__":
    main()
