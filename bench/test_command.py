"""What the command costs: from start to exit with one call, and many calls through one connection."""

from functools import partial

from board import OURS, THEIRS, VARLINKCTL, Board, play
from lab import FASTVARLINK, PYTHON_VARLINK, Lab
from pace import Pace
from pytest_benchmark.fixture import BenchmarkFixture
from rounds import Measurement, Target

BARE = "Python with orjson and socket"
LIBRARY = "the library's pipeline"


def test_start(benchmark: BenchmarkFixture, lab: Lab, board: Board, pace: Pace) -> None:
    """Whole processes, from start to exit, with one call each."""
    measurement = Measurement(
        "the command: one call, from start to exit", BARE, "ns", [Target(OURS, BARE, 1.8)]
    )
    runs = "1" if float(pace.seconds) < 0.5 else "7"
    call = ["call", "{address}/org.example.ping.Ping", '{"ping": "hello"}']
    commands = {
        BARE: (FASTVARLINK, ["-c", "import orjson, socket"]),
        OURS: (FASTVARLINK, ["-m", "fastvarlink", *call]),
        THEIRS: (PYTHON_VARLINK, ["-m", "varlink.cli", *call]),
    }
    for name, (library, words) in commands.items():
        measurement.enter(name, partial(lab.command, library, [runs], words))
    call_of = ["org.example.ping.Ping", '{"ping": "hello"}']
    measurement.enter(VARLINKCTL, partial(lab.varlinkctl, runs, *call_of))
    play(benchmark, board, pace, measurement)


def test_batch(benchmark: BenchmarkFixture, lab: Lab, board: Board, pace: Pace) -> None:
    """Calls from stdin in one run of the command, its start included, against the library's own."""
    lines = 5 * int(pace.replies)
    measurement = Measurement(
        f"the command: {lines:,} calls from stdin", LIBRARY, "ns/call", [Target(OURS, LIBRARY, 1 / 0.4)]
    )
    measurement.enter(LIBRARY, partial(lab.python_client, FASTVARLINK, "pipeline", pace.seconds))
    words = ["-m", "fastvarlink", "call", "--batch", "{address}/org.example.ping.Ping"]
    measurement.enter(OURS, partial(lab.command, FASTVARLINK, ["--lines", str(lines)], words))
    play(benchmark, board, pace, measurement)
