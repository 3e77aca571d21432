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
    runs = "1" if float(pace.seconds) < 0.5 else "7"
    # Ours import their names when they are asked for.
    statements = {
        BARE: (FASTVARLINK, "import orjson, socket"),
        "the same and asyncio": (FASTVARLINK, "import asyncio, orjson, socket"),
        f"{OURS}, the client": (FASTVARLINK, "from fastvarlink import Client"),
        f"{OURS}, the server": (FASTVARLINK, "from fastvarlink import Service, serve"),
        f"{OURS}, asyncio's client": (FASTVARLINK, "from fastvarlink.aio import Client"),
        f"{OURS}, asyncio's server": (FASTVARLINK, "from fastvarlink.aio import serve"),
        THEIRS: (PYTHON_VARLINK, "import varlink"),
        ASYNC: (ASYNCVARLINK, "import asyncvarlink"),
    }
    for name, (library, statement) in statements.items():
        measurement.enter(name, partial(lab.importing, runs, library, statement))
    play(benchmark, board, pace, measurement)
