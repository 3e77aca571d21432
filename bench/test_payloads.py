"""A text there and back, from 64 bytes to 16 MiB, against what JSON and the copies cost at the least."""

from functools import partial

import pytest
from board import GO, OURS, THEIRS, Board, play
from lab import FASTVARLINK, PYTHON_VARLINK, Lab
from pace import Pace
from pytest_benchmark.fixture import BenchmarkFixture
from rounds import Measurement, Point, Target

KIB, MIB = 1 << 10, 1 << 20
COPY, JSON, FLOOR = "C echo of the bytes", "orjson, both sides", "floor (their sum)"
SERVER = "fastvarlink, C client"
# A message may be 16 MiB at most, with what is around the text.
SIZES = {"64 B": 64, "4 KiB": 4 * KIB, "64 KiB": 64 * KIB, "1 MiB": MIB, "16 MiB": 16 * MIB - 256}


@pytest.mark.parametrize("name", SIZES)
def test_echo(name: str, benchmark: BenchmarkFixture, lab: Lab, board: Board, pace: Pace) -> None:
    """Client and server, and the server alone with a C client, which checks nothing but the last echo."""
    size = str(SIZES[name])
    measurement = Measurement(
        f"client and server: a string of {name} echoed",
        FLOOR,
        "ns/echo",
        [Target(OURS, FLOOR, 3.0, goal=2.0)] if name == "1 MiB" else [],
        Point("payloads", SIZES[name], name),
    )
    measurement.enter(COPY, partial(lab.c_client, "echo", "echo", pace.seconds, size))
    measurement.enter(JSON, partial(lab.json_floor, pace.seconds, size))
    measurement.derive(FLOOR, sum, [COPY, JSON])
    measurement.enter(OURS, partial(lab.python_client, FASTVARLINK, "echo", pace.seconds, size))
    for label, server in ((SERVER, FASTVARLINK), (f"{GO}, C client", "go")):
        measurement.enter(label, partial(lab.c_client, server, "echo", pace.seconds, size))
    if SIZES[name] < MIB:
        measurement.enter(THEIRS, partial(lab.python_client, PYTHON_VARLINK, "echo", pace.seconds, size))
    elif SIZES[name] == MIB:
        # Its time grows by the square of the size, some 10 to 20 s for 1 MiB: one echo has to do.
        measurement.notes[THEIRS] = f"one of {pace.slow_echo >> 10} KiB"
        measurement.enter(
            THEIRS,
            partial(lab.python_client, PYTHON_VARLINK, "echo", "0", str(pace.slow_echo)),
            once=True,
            apart=pace.slow_echo != MIB,
        )
    else:
        measurement.unable[THEIRS] = "its time grows by the square of the size, to an hour here"
    play(benchmark, board, pace, measurement)
