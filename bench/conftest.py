"""The lab that all measurements share, and the one table that is printed at the end."""

import os
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from lab import Lab, describe_machine
from rounds import Measurement


@dataclass
class Board:
    """What has been measured, in order, and the settings it was measured with."""

    machine: list[str] = field(default_factory=list)
    measurements: list[Measurement] = field(default_factory=list)


@dataclass(frozen=True)
class Pace:
    """How long to measure: rounds, seconds a contestant and round, and the sizes."""

    rounds: int
    seconds: str
    replies: str
    slow_echo: int


BOARD = pytest.StashKey[Board]()
FULL = Pace(rounds=9, seconds="0.5", replies="20000", slow_echo=1 << 20)
QUICK = Pace(rounds=5, seconds="0.12", replies="5000", slow_echo=1 << 18)


def pytest_configure(config: pytest.Config) -> None:
    """Silence pytest-benchmark's own table: it would time the rounds, which mean nothing."""
    config.option.benchmark_quiet = True
    config.stash[BOARD] = Board()


@pytest.fixture(scope="session")
def board(pytestconfig: pytest.Config) -> Board:
    """Give the place where measurements are handed in for the table."""
    return pytestconfig.stash[BOARD]


@pytest.fixture(scope="session")
def pace() -> Pace:
    """Give the full pace, or the quick one with QUICK=1."""
    return QUICK if os.environ.get("QUICK") == "1" else FULL


@pytest.fixture(scope="session")
def lab(board: Board) -> Iterator[Lab]:
    """Give the lab; all it started has ended when the session does."""
    with Lab(os.environ.get("BENCH_CORE", "0")) as made:
        board.machine = describe_machine(made)
        yield made


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the table."""
    board = config.stash[BOARD]
    if not board.measurements:
        return
    names = ("QUICK", "BENCH_ASSERT", "BENCH_CORE", "FASTVARLINK_BENCH_VARLINK_PYTHON")
    settings = [f"{name}={os.environ[name]}" for name in names if name in os.environ]
    command = shlex.join([*settings, "pytest", *config.invocation_params.args])
    terminalreporter.section("fastvarlink benchmark")
    for line in [*board.machine, f"command: {command}"]:
        terminalreporter.write_line(line)
    terminalreporter.write_line(
        "times are medians of the rounds; ratios are medians of the ratios inside each round,"
        " [least-greatest]"
    )
    for measurement in board.measurements:
        terminalreporter.write_line("")
        for line in measurement.lines():
            terminalreporter.write_line(line)
