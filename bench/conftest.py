"""The lab that all measurements share, the tables that are printed at the end, and the report."""

import os
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from board import Board
from interpreters import CACHE
from lab import Lab
from machine import describe_machine
from pace import GROUPS, Pace
from report import write_report

BOARD = pytest.StashKey[Board]()
SETTINGS = (
    "QUICK",
    "BENCH_ASSERT",
    "BENCH_CORE",
    "BENCH_REPORT",
    "FASTVARLINK_BENCH_VARLINK_PYTHON",
    "FASTVARLINK_BENCH_GOPATH",
    "FASTVARLINK_SYSTEMD_TREE",
)


def pytest_configure(config: pytest.Config) -> None:
    """Silence pytest-benchmark's own table: it would time the rounds, which mean nothing."""
    config.option.benchmark_quiet = True
    config.stash[BOARD] = Board()


@pytest.fixture(scope="session")
def board(pytestconfig: pytest.Config) -> Board:
    """Give the place where measurements are handed in for the tables."""
    return pytestconfig.stash[BOARD]


@pytest.fixture(scope="module")
def pace(request: pytest.FixtureRequest) -> Pace:
    """Give the full pace of the file at hand, or the quick one with QUICK=1."""
    group = GROUPS[request.module.__name__]
    return group.quick if os.environ.get("QUICK") == "1" else group.full


@pytest.fixture(scope="session")
def lab(board: Board) -> Iterator[Lab]:
    """Give the lab; all it started has ended when the session does."""
    with Lab(os.environ.get("BENCH_CORE", "0")) as made:
        board.machine = describe_machine(made)
        yield made


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config
) -> None:
    """Print the tables, and write the report."""
    board = config.stash[BOARD]
    if not board.measurements:
        return
    settings = [f"{name}={os.environ[name]}" for name in SETTINGS if os.environ.get(name)]
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
    folder = Path(os.environ.get("BENCH_REPORT") or CACHE / "report")
    board.interrupted = exitstatus not in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}
    place = write_report(board, command, folder)
    terminalreporter.write_line("")
    terminalreporter.write_line(f"report: {place}")
    terminalreporter.write_line(f"total time: {board.seconds:.0f} s")
