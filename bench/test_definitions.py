"""What reading a definition costs, and what checking a call against it adds to decoding the call."""

from functools import partial
from pathlib import Path

import pytest
from board import OURS, THEIRS, Board, play
from lab import FASTVARLINK, PYTHON_VARLINK, Lab
from pace import Pace
from pytest_benchmark.fixture import BenchmarkFixture
from rounds import Measurement, Target

CERTIFICATION = Path(__file__).parent.parent / "examples" / "org.varlink.certification.varlink"
LOADS, CHECKED = "orjson.loads", "loads and check"


def test_reading(benchmark: BenchmarkFixture, lab: Lab, board: Board, pace: Pace) -> None:
    """The definition that implementations certify each other with."""
    measurement = Measurement(
        f"reading {CERTIFICATION.name}",
        OURS,
        "ns/text",
        [Target(OURS, THEIRS, 10, faster=True)],
    )
    for name, library in ((OURS, FASTVARLINK), (THEIRS, PYTHON_VARLINK)):
        measurement.enter(name, partial(lab.reader, library, pace.seconds, str(CERTIFICATION)))
    play(benchmark, board, pace, measurement)


@pytest.mark.parametrize("which", ["small", "records"])
def test_checking(which: str, benchmark: BenchmarkFixture, lab: Lab, board: Board, pace: Pace) -> None:
    """A small call, and one with a list of 1,000 records: 1.6 is a check that costs 0.6 of a loads."""
    title = {"small": "a small call", "records": "a call with 1,000 records"}[which]
    measurement = Measurement(
        f"decoding and checking {title}",
        LOADS,
        "ns/call",
        [Target(CHECKED, LOADS, 1.6)],
    )
    for name, mode in ((LOADS, "loads"), (CHECKED, "check")):
        measurement.enter(name, partial(lab.checker, mode, pace.seconds, which))
    play(benchmark, board, pace, measurement)
