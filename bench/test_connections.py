"""Many connections at once, new ones, and idle ones; and the processor time of a call."""

from functools import partial

import pytest
from board import ASYNC, GO, OURS, THEIRS, Board, C, play
from lab import ASYNCVARLINK, FASTVARLINK, PYTHON_VARLINK, Lab
from pace import Pace
from pytest_benchmark.fixture import BenchmarkFixture
from rounds import Measurement, Point

CROWD = "C ping-pong, epoll"
IDLE = 500
THREADS = 500  # so many of python-varlink are measured in a short time
SERVERS = {OURS: FASTVARLINK, GO: "go", THEIRS: PYTHON_VARLINK, ASYNC: f"peer {ASYNCVARLINK}"}
LOOPS = {
    f"{OURS}, asyncio": "asyncio coroutine none",
    f"{OURS}, uvloop": "uvloop coroutine none",
}


@pytest.mark.parametrize("connections", [1, 10, 100, 1000])
def test_many(connections: int, benchmark: BenchmarkFixture, lab: Lab, board: Board, pace: Pace) -> None:
    """One small call under way on each connection, all the time."""
    measurement = Measurement(
        f"server alone: a small call under way on each of {connections:,} connections, C client",
        CROWD,
        "ns/call",
        [],
        Point("connections", connections, f"{connections:,}"),
    )
    for name, server in {CROWD: "crowd", **SERVERS, **LOOPS}.items():
        if name == THEIRS and connections > THREADS:
            measurement.unable[name] = "it starts a thread for each connection, and a run takes 15 s"
            continue
        measurement.enter(name, partial(lab.many, server, pace.seconds, str(connections)))
    play(benchmark, board, pace, measurement)


def test_first_call(benchmark: BenchmarkFixture, lab: Lab, board: Board, pace: Pace) -> None:
    """A new connection for each call, from C."""
    measurement = Measurement("server alone: connect, and call once, C client", C, "ns/connection", [])
    for name, server in {C: "pong", **SERVERS}.items():
        measurement.enter(name, partial(lab.c_client, server, "connect", pace.seconds))
    play(benchmark, board, pace, measurement)


def test_first_call_of_a_client(benchmark: BenchmarkFixture, lab: Lab, board: Board, pace: Pace) -> None:
    """A new client for each call, which asks for the interface's definition first."""
    measurement = Measurement(
        "client and server: a new client, the definition, and one call", C, "ns/client", []
    )
    measurement.enter(C, partial(lab.c_client, "pong", "connect", pace.seconds))
    for name, library in ((OURS, FASTVARLINK), (THEIRS, PYTHON_VARLINK)):
        measurement.enter(name, partial(lab.python_client, library, "connect", pace.seconds))
    play(benchmark, board, pace, measurement)


def test_idle_memory(benchmark: BenchmarkFixture, lab: Lab, board: Board, pace: Pace) -> None:
    """What a connection holds between its calls."""
    measurement = Measurement(
        f"server alone: memory of a connection that has been used, one of {IDLE}", OURS, "bytes", []
    )
    for name, server in {**SERVERS, **LOOPS}.items():
        measurement.enter(name, partial(lab.idle_memory, server, str(IDLE)))
    play(benchmark, board, pace, measurement)


def test_processor_time(benchmark: BenchmarkFixture, lab: Lab, board: Board, pace: Pace) -> None:
    """What a call costs even where nobody waits for it."""
    measurement = Measurement("server alone: processor time of a small call", C, "ns/call", [])
    for name, server in {C: "pong", **SERVERS, **LOOPS}.items():
        measurement.enter(name, partial(lab.cpu_time, server, pace.seconds))
    play(benchmark, board, pace, measurement)
