"""Client and server on two cores: what a busy poll is worth against sleeping in the system."""

import os
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from board import OURS, Board, C, play
from lab import BUSY_POLL, FASTVARLINK, Lab
from pace import Pace
from pytest_benchmark.fixture import BenchmarkFixture
from rounds import Measurement, MissingPeerError, Run, Target


@pytest.fixture(scope="module")
def apart(lab: Lab) -> Iterator[Lab]:
    """Give a lab whose clients have a core of their own, if there is one."""
    others = (str(core) for core in sorted(os.sched_getaffinity(0)))
    with Lab(lab.core, next((core for core in others if core != lab.core), None)) as made:
        yield made


def on_two_cores(apart: Lab, prepare: Callable[[], Run]) -> Run:
    """Prepare a run, where there are two cores for it."""
    if apart.client_core == apart.core:
        raise MissingPeerError(f"there is no core beside {apart.core} for the client")
    return prepare()


def test_busy_poll(benchmark: BenchmarkFixture, lab: Lab, apart: Lab, board: Board, pace: Pace) -> None:
    """One small call at a time from a blocking client to its server, across two cores and on one."""
    busy, together = f"{OURS}, busy poll", f"{C}, both on core {lab.core}"
    measurement = Measurement(
        f"server on core {apart.core}, client on core {apart.client_core}: small calls, one at a time",
        C,
        "ns/call",
        [Target(busy, C, 1.00)],
    )
    runs = {
        C: partial(apart.c_client, "pong", "unary", pace.seconds),
        OURS: partial(apart.python_client, FASTVARLINK, "unary", pace.seconds),
        busy: partial(apart.python_client, FASTVARLINK, "busy", pace.seconds, BUSY_POLL, server="busy"),
    }
    for name, prepare in runs.items():
        measurement.enter(name, partial(on_two_cores, apart, prepare))
    measurement.enter(together, partial(lab.c_client, "pong", "unary", pace.seconds))
    play(benchmark, board, pace, measurement)
