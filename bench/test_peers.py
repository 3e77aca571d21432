"""Ours beside other libraries for calls between processes: each with its own client, wire and server."""

from functools import partial

from board import ASYNC, COMPILED, OTHERS, OURS, Board, C, play
from lab import Lab
from pace import Pace
from pytest_benchmark.fixture import BenchmarkFixture
from rounds import Measurement, Target

BEST = "the best of the compiled peers"
ONE_AT_A_TIME = {"thriftpy2": "its client has one call under way at a time"}
NOTES = {"Pyro5": "one batch", "pyzmq": "DEALER"}


def test_unary(benchmark: BenchmarkFixture, lab: Lab, board: Board, pace: Pace) -> None:
    """One small call at a time."""
    measurement = Measurement("libraries: small calls, one at a time", OURS, "ns/call", [])
    measurement.enter(C, partial(lab.c_client, "pong", "unary", pace.seconds))
    for name in (OURS, ASYNC, *OTHERS):
        measurement.enter(name, partial(lab.peer, name, "unary", pace.seconds))
    play(benchmark, board, pace, measurement)


def test_window(benchmark: BenchmarkFixture, lab: Lab, board: Board, pace: Pace) -> None:
    """64 calls under way on one connection, in the way that each library has for it."""
    measurement = Measurement(
        "libraries: 64 small calls in flight",
        OURS,
        "ns/call",
        [Target(OURS, BEST, 1.3, faster=True)],
        unable=ONE_AT_A_TIME,
        notes=NOTES,
    )
    measurement.enter(C, partial(lab.c_client, "pong", "window", pace.seconds))
    for name in (OURS, ASYNC, *OTHERS):
        if name not in ONE_AT_A_TIME:
            measurement.enter(name, partial(lab.peer, name, "window", pace.seconds))
    able = [name for name in COMPILED if name in measurement.runs]
    measurement.derive(BEST, min, able or COMPILED)
    play(benchmark, board, pace, measurement)
