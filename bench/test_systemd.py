"""A service of systemd, whose implementation is C, beside ours."""

from functools import partial

from board import OURS, SYSTEMD, Board, play
from lab import FASTVARLINK, Lab
from pace import Pace
from pytest_benchmark.fixture import BenchmarkFixture
from rounds import Measurement


def test_info(benchmark: BenchmarkFixture, lab: Lab, board: Board, pace: Pace) -> None:
    """The call that every service answers, each with what it has to say."""
    measurement = Measurement("server alone: GetInfo from a C client, one at a time", SYSTEMD, "ns/call", [])
    for name, server in ((OURS, FASTVARLINK), (SYSTEMD, "systemd-creds")):
        measurement.enter(name, partial(lab.c_client, server, "info", pace.seconds))
    play(benchmark, board, pace, measurement)
