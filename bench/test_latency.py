"""What most calls stay within, and what few do not: the distribution of the time that single calls take."""

from collections.abc import Callable
from functools import partial

from board import GO, OURS, THEIRS, Board, C, play
from lab import FASTVARLINK, PYTHON_VARLINK, Lab
from pace import Pace
from pytest_benchmark.fixture import BenchmarkFixture
from rounds import FailedRunError, Measurement, MissingPeerError, Point, Run

SHARES = {"p50": "0.5", "p90": "0.9", "p99": "0.99", "p99.9": "0.999"}


def measure(
    plot: str,
    title: str,
    runs: dict[str, Callable[[], list[Run]]],
    benchmark: BenchmarkFixture,
    board: Board,
    pace: Pace,
) -> None:
    """Play one measurement for each share, all of them on the same calls."""
    measurements = [
        Measurement(f"{title}, {label}", C, "ns", [], Point(plot, 1 / (1 - float(share)), label))
        for label, share in SHARES.items()
    ]
    for name, prepare in runs.items():
        figures = prepared(prepare)
        for place, measurement in enumerate(measurements):
            measurement.enter(name, partial(figures, place))
    play(benchmark, board, pace, *measurements)


def prepared(prepare: Callable[[], list[Run]]) -> Callable[[int], Run]:
    """Prepare once for all shares, and give each its run, or the reason why there is none."""
    try:
        return prepare().__getitem__
    except (MissingPeerError, FailedRunError) as reason:
        why = reason

    def fail(_place: int) -> Run:
        raise why

    return fail


def test_latency_of_the_server(benchmark: BenchmarkFixture, lab: Lab, board: Board, pace: Pace) -> None:
    """From a C client."""
    servers = {C: "pong", OURS: FASTVARLINK, GO: "go", THEIRS: PYTHON_VARLINK}
    runs = {
        name: partial(lab.c_latencies, server, pace.seconds, list(SHARES.values()))
        for name, server in servers.items()
    }
    measure("latency-server", "server alone: small calls from a C client", runs, benchmark, board, pace)


def test_latency_of_a_pair(benchmark: BenchmarkFixture, lab: Lab, board: Board, pace: Pace) -> None:
    """From a library's blocking client to its own server."""
    shares = list(SHARES.values())
    runs = {C: partial(lab.c_latencies, "pong", pace.seconds, shares)}
    for name, library in ((OURS, FASTVARLINK), (THEIRS, PYTHON_VARLINK)):
        runs[name] = partial(lab.python_latencies, library, pace.seconds, shares)
    measure("latency-pair", "client and server: small calls", runs, benchmark, board, pace)
