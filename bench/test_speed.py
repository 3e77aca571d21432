"""What one call, a window, a pipeline and a stream cost.

Targets are printed as met or missed; with BENCH_ASSERT=1 a target that is not met, or not
measured, fails its test. A contestant of our own, or of the floor, that breaks fails it always.
"""

from functools import partial

from board import GO, OURS, THEIRS, Board, C, play
from lab import FASTVARLINK, PYTHON_VARLINK, Lab
from pace import Pace
from pytest_benchmark.fixture import BenchmarkFixture
from rounds import Measurement, Target


def test_unary_server(benchmark: BenchmarkFixture, lab: Lab, board: Board, pace: Pace) -> None:
    """One small call at a time from a C client: what the server alone costs."""
    measurement = Measurement(
        "server alone: small calls from a C client, one at a time",
        C,
        "ns/call",
        [Target(OURS, C, 1.30, goal=1.20)],
    )
    for name, server in ((C, "pong"), (OURS, FASTVARLINK), (GO, "go"), (THEIRS, PYTHON_VARLINK)):
        measurement.enter(name, partial(lab.c_client, server, "unary", pace.seconds))
    play(benchmark, board, pace, measurement)


def test_unary_pair(benchmark: BenchmarkFixture, lab: Lab, board: Board, pace: Pace) -> None:
    """One small call at a time from a library's blocking client to its own server."""
    measurement = Measurement(
        "client and server: small calls, one at a time",
        C,
        "ns/call",
        [Target(OURS, C, 1.60, goal=1.45)],
    )
    measurement.enter(C, partial(lab.c_client, "pong", "unary", pace.seconds))
    for name, library in ((OURS, FASTVARLINK), (THEIRS, PYTHON_VARLINK)):
        measurement.enter(name, partial(lab.python_client, library, "unary", pace.seconds))
    play(benchmark, board, pace, measurement)


def test_window(benchmark: BenchmarkFixture, lab: Lab, board: Board, pace: Pace) -> None:
    """64 calls in one write on one connection, then their replies: what batching is worth."""
    measurement = Measurement(
        "server alone: 64 calls in flight on one connection, C client",
        C,
        "ns/call",
        [Target(OURS, GO, 5, faster=True), Target(OURS, THEIRS, 20, faster=True)],
    )
    for name, server in ((C, "pong"), (OURS, FASTVARLINK), (GO, "go"), (THEIRS, PYTHON_VARLINK)):
        measurement.enter(name, partial(lab.c_client, server, "window", pace.seconds))
    play(benchmark, board, pace, measurement)


def test_pipeline(benchmark: BenchmarkFixture, lab: Lab, board: Board, pace: Pace) -> None:
    """Small calls of our client in a pipeline, against one at a time and against a C client with 64."""
    single, window = "one at a time", "64 in flight from C"
    measurement = Measurement(
        "client and server: small calls in a pipeline",
        OURS,
        "ns/call",
        [Target(OURS, single, 3, faster=True)],
    )
    measurement.enter(OURS, partial(lab.python_client, FASTVARLINK, "pipeline", pace.seconds))
    measurement.enter(single, partial(lab.python_client, FASTVARLINK, "unary", pace.seconds))
    measurement.enter(window, partial(lab.c_client, FASTVARLINK, "window", pace.seconds))
    play(benchmark, board, pace, measurement)


def test_stream(benchmark: BenchmarkFixture, lab: Lab, board: Board, pace: Pace) -> None:
    """One call with more, answered by many small replies."""
    measurement = Measurement(
        f"client and server: a stream of {int(pace.replies):,} small replies",
        THEIRS,
        "ns/reply",
        [Target(OURS, THEIRS, 12, faster=True, goal=15)],
    )
    for name, library in ((OURS, FASTVARLINK), (THEIRS, PYTHON_VARLINK)):
        measurement.enter(name, partial(lab.python_client, library, "stream", pace.replies))
    play(benchmark, board, pace, measurement)
