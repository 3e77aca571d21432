"""What has been measured so far, and what every measurement goes through to be added to it."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pace import GROUPS, Pace
from pytest_benchmark.fixture import BenchmarkFixture
from rounds import Measurement

OURS = "fastvarlink"
THEIRS = "python-varlink"
GO = "Go varlink"
C = "C ping-pong"
ASYNC = "asyncvarlink"
SYSTEMD = "systemd-creds"
VARLINKCTL = "varlinkctl"
# Libraries for calls of their own kind, and those of them whose core is compiled.
OTHERS = ["thriftpy2", "pyzmq", "grpcio", "rpyc", "Pyro5"]
COMPILED = ["thriftpy2", "pyzmq", "grpcio"]
# What may break without that being our fault.
PEERS = {THEIRS, GO, ASYNC, SYSTEMD, VARLINKCTL, *OTHERS}


@dataclass
class Board:
    """What has been measured, by group, and the state of the machine."""

    machine: list[str] = field(default_factory=list)
    groups: dict[str, list[Measurement]] = field(default_factory=lambda: {name: [] for name in GROUPS})
    paces: dict[str, Pace] = field(default_factory=dict)
    began: datetime = field(default_factory=lambda: datetime.now(UTC))
    load_before: float = field(default_factory=lambda: os.getloadavg()[0])
    interrupted: bool = False
    clock: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """How long it has taken so far."""
        return time.monotonic() - self.clock

    @property
    def measurements(self) -> list[Measurement]:
        """All of them, in the order of the groups."""
        return [measurement for group in self.groups.values() for measurement in group]


def play(benchmark: BenchmarkFixture, board: Board, pace: Pace, *measurements: Measurement) -> None:
    """Play the rounds, hand the measurements in, and hold them to their targets if asked to."""
    group = str(benchmark.fullname).partition("::")[0].rpartition("/")[2].removesuffix(".py")
    board.groups[group] += measurements
    board.paces[group] = pace

    def play_round() -> None:
        for measurement in measurements:
            measurement.play_round()

    # pytest-benchmark has no types for pedantic.
    pedantic: Callable[..., object] = benchmark.pedantic
    pedantic(play_round, rounds=pace.rounds, iterations=1)
    for measurement in measurements:
        benchmark.extra_info[measurement.title] = measurement.record()
        ours = {name: why for name, why in measurement.broken.items() if not name.startswith(tuple(PEERS))}
        assert not ours, f"broke while being measured: {ours}"
        if os.environ.get("BENCH_ASSERT") == "1":
            verdicts = {str(target): measurement.verdict(target) for target in measurement.targets}
            assert set(verdicts.values()) <= {"met"}, verdicts
