"""What one call, a window, a pipeline, a stream and a large string cost.

Targets are printed as met or missed; with BENCH_ASSERT=1 a target that is not met, or not
measured, fails its test. A contestant of our own, or of the floor, that breaks fails it always.
"""

import os
from collections.abc import Callable
from functools import partial

from conftest import Board, Pace
from lab import FASTVARLINK, PYTHON_VARLINK, Lab
from pytest_benchmark.fixture import BenchmarkFixture
from rounds import Measurement, Target

OURS = "fastvarlink"
THEIRS = "python-varlink"
GO = "Go varlink"
C = "C ping-pong"
MEBIBYTE = 1 << 20


def play(
    measurement: Measurement,
    benchmark: BenchmarkFixture,
    board: Board,
    pace: Pace,
    floor: tuple[str, list[str]] | None = None,
) -> None:
    """Play the rounds, hand the measurement in, and hold it to its targets if asked to.

    floor names a figure that is the sum of others.
    """
    board.measurements.append(measurement)
    # pytest-benchmark has no types for pedantic.
    pedantic: Callable[..., object] = benchmark.pedantic
    pedantic(measurement.play_round, rounds=pace.rounds, iterations=1)
    if floor:
        measurement.add_sum(*floor)
    benchmark.extra_info.update(measurement.record())
    peers = {THEIRS, GO}
    ours = {name: why for name, why in measurement.broken.items() if name not in peers}
    assert not ours, f"broke while being measured: {ours}"
    if os.environ.get("BENCH_ASSERT") == "1":
        verdicts = {str(target): measurement.verdict(target) for target in measurement.targets}
        assert set(verdicts.values()) == {"met"}, verdicts


def test_unary_server(benchmark: BenchmarkFixture, lab: Lab, board: Board, pace: Pace) -> None:
    """One small call at a time from a C client: what the server alone costs."""
    measurement = Measurement(
        "1. server alone: small calls from a C client, one at a time",
        C,
        "ns/call",
        [Target(OURS, C, 1.30)],
    )
    for name, server in ((C, "pong"), (OURS, FASTVARLINK), (GO, "go"), (THEIRS, PYTHON_VARLINK)):
        measurement.enter(name, partial(lab.c_client, server, "unary", pace.seconds))
    play(measurement, benchmark, board, pace)


def test_unary_pair(benchmark: BenchmarkFixture, lab: Lab, board: Board, pace: Pace) -> None:
    """One small call at a time from a library's blocking client to its own server."""
    measurement = Measurement(
        "2. client and server: small calls, one at a time",
        C,
        "ns/call",
        [Target(OURS, C, 1.60)],
    )
    measurement.enter(C, partial(lab.c_client, "pong", "unary", pace.seconds))
    for name, library in ((OURS, FASTVARLINK), (THEIRS, PYTHON_VARLINK)):
        measurement.enter(name, partial(lab.python_client, library, "unary", pace.seconds))
    play(measurement, benchmark, board, pace)


def test_window(benchmark: BenchmarkFixture, lab: Lab, board: Board, pace: Pace) -> None:
    """64 calls in one write on one connection, then their replies: what batching is worth."""
    measurement = Measurement(
        "3. server alone: 64 calls in flight on one connection, C client",
        C,
        "ns/call",
        [Target(OURS, GO, 5, faster=True), Target(OURS, THEIRS, 20, faster=True)],
    )
    for name, server in ((C, "pong"), (OURS, FASTVARLINK), (GO, "go"), (THEIRS, PYTHON_VARLINK)):
        measurement.enter(name, partial(lab.c_client, server, "window", pace.seconds))
    play(measurement, benchmark, board, pace)


def test_pipeline(benchmark: BenchmarkFixture, lab: Lab, board: Board, pace: Pace) -> None:
    """Small calls of our client in a pipeline, against one at a time and against a C client with 64."""
    single, window = "one at a time", "64 in flight from C"
    measurement = Measurement(
        "6. client and server: small calls in a pipeline",
        OURS,
        "ns/call",
        [Target(OURS, single, 3, faster=True)],
    )
    measurement.enter(OURS, partial(lab.python_client, FASTVARLINK, "pipeline", pace.seconds))
    measurement.enter(single, partial(lab.python_client, FASTVARLINK, "unary", pace.seconds))
    measurement.enter(window, partial(lab.c_client, FASTVARLINK, "window", pace.seconds))
    play(measurement, benchmark, board, pace)


def test_stream(benchmark: BenchmarkFixture, lab: Lab, board: Board, pace: Pace) -> None:
    """One call with more, answered by many small replies."""
    measurement = Measurement(
        f"4. client and server: a stream of {int(pace.replies):,} small replies",
        THEIRS,
        "ns/reply",
        [Target(OURS, THEIRS, 12, faster=True)],
    )
    for name, library in ((OURS, FASTVARLINK), (THEIRS, PYTHON_VARLINK)):
        measurement.enter(name, partial(lab.python_client, library, "stream", pace.replies))
    play(measurement, benchmark, board, pace)


def test_large_echo(benchmark: BenchmarkFixture, lab: Lab, board: Board, pace: Pace) -> None:
    """A string of 1 MiB there and back, against what JSON and the copies cost at the least."""
    copy, json, floor = "C echo of the bytes", "orjson, both sides", "floor (their sum)"
    size = str(MEBIBYTE)
    measurement = Measurement(
        "5. client and server: a string of 1 MiB echoed",
        floor,
        "ns/echo",
        [Target(OURS, floor, 3.0)],
    )
    measurement.enter(copy, partial(lab.c_client, "echo", "echo", pace.seconds, size))
    measurement.enter(json, partial(lab.json_floor, pace.seconds, size))
    measurement.enter(OURS, partial(lab.python_client, FASTVARLINK, "echo", pace.seconds, size))
    # Its time grows by the square of the size, some 10 to 20 s for 1 MiB: one echo has to do.
    measurement.notes[THEIRS] = f"one of {pace.slow_echo >> 10} KiB"
    measurement.enter(
        THEIRS,
        partial(lab.python_client, PYTHON_VARLINK, "echo", "0", str(pace.slow_echo)),
        once=True,
        apart=pace.slow_echo != MEBIBYTE,
    )
    play(measurement, benchmark, board, pace, (floor, [copy, json]))
