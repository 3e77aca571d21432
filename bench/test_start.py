"""What importing costs: whole processes that import, and end."""

from functools import partial

from board import ASYNC, OURS, THEIRS, Board, play
from lab import ASYNCVARLINK, FASTVARLINK, PYTHON_VARLINK, Lab
from pace import Pace
from pytest_benchmark.fixture import BenchmarkFixture
from rounds import Measurement

BARE = "Python with orjson and socket"


def test_import(benchmark: BenchmarkFixture, lab: Lab, board: Board, pace: Pace) -> None:
    """From start to exit."""
    measurement = Measurement("imports: an interpreter that imports, from start to exit", BARE, "ns", [])
    runs = "2" if float(pace.seconds) < 0.5 else "7"
    modules = {
        BARE: (FASTVARLINK, "orjson, socket"),
        OURS: (FASTVARLINK, "fastvarlink"),
        f"{OURS}, the client": (FASTVARLINK, "fastvarlink.client"),
        f"{OURS}, asyncio": (FASTVARLINK, "fastvarlink.aio"),
        THEIRS: (PYTHON_VARLINK, "varlink"),
        ASYNC: (ASYNCVARLINK, "asyncvarlink"),
    }
    for name, (library, module) in modules.items():
        measurement.enter(name, partial(lab.importing, runs, library, module))
    play(benchmark, board, pace, measurement)
