"""What event loops cost: our asyncio client and server, coroutines as handlers, handlers that block.

The peers of a pair run in a loop of the same kind; ours is held against what asyncio's own loop gives.
"""

from functools import partial

import pytest
from board import Board, play
from lab import ASYNCVARLINK, FASTVARLINK, UVLOOP, Lab
from pace import Pace
from pytest_benchmark.fixture import BenchmarkFixture
from rounds import Measurement, Target

PROTOCOLS, BUFFERED = "Protocols", "BufferedProtocols"
OWN = "fastvarlink in its EventLoop"
LOOPS = pytest.mark.parametrize("loop", ["asyncio", UVLOOP])


def enter_pairs(measurement: Measurement, lab: Lab, loop: str, tasks: int, pace: Pace) -> None:
    """Let everybody take part that can run in such a loop."""
    pairs = {
        PROTOCOLS: "streamed",
        BUFFERED: "buffered",
        FASTVARLINK: FASTVARLINK,
        ASYNCVARLINK: ASYNCVARLINK,
    }
    for name, library in pairs.items():
        measurement.enter(name, partial(lab.task_pair, library, loop, str(tasks), pace.seconds))
    if loop == "asyncio":
        measurement.enter(OWN, partial(lab.task_pair, FASTVARLINK, "own", str(tasks), pace.seconds))


def ours(loop: str) -> list[str]:
    """Return our contestants in such a loop."""
    return [FASTVARLINK, OWN] if loop == "asyncio" else [FASTVARLINK]


@LOOPS
def test_awaited_calls(loop: str, benchmark: BenchmarkFixture, lab: Lab, board: Board, pace: Pace) -> None:
    """One small call after the other; client and server in one loop."""
    measurement = Measurement(
        f"client and server in one loop of {loop}: small calls, one at a time",
        BUFFERED,
        "ns/call",
        [Target(name, bare, 1.35, goal=1.25) for name in ours(loop) for bare in (PROTOCOLS, BUFFERED)]
        + [Target(name, ASYNCVARLINK, 6, faster=True) for name in ours(loop)],
    )
    enter_pairs(measurement, lab, loop, 1, pace)
    play(benchmark, board, pace, measurement)


@LOOPS
def test_tasks_that_share_a_connection(
    loop: str, benchmark: BenchmarkFixture, lab: Lab, board: Board, pace: Pace
) -> None:
    """100 tasks, one connection."""
    measurement = Measurement(
        f"client and server in one loop of {loop}: 100 tasks on one connection",
        BUFFERED,
        "ns/call",
        [Target(name, ASYNCVARLINK, 15, faster=True) for name in ours(loop)],
    )
    enter_pairs(measurement, lab, loop, 100, pace)
    play(benchmark, board, pace, measurement)


@pytest.mark.parametrize("client", ["C", "fastvarlink"])
def test_coroutines_as_handlers(
    client: str, benchmark: BenchmarkFixture, lab: Lab, board: Board, pace: Pace
) -> None:
    """A handler that is a coroutine and waits for nothing, against a function, and in other loops."""
    function, coroutine = "function, serve()", "coroutine, serve()"
    measurement = Measurement(
        f"handlers that are coroutines: small calls from a client of {client}, one at a time",
        function,
        "ns/call",
        [Target(coroutine, function, 1.15)],
    )
    ways = {
        function: "serve plain none",
        coroutine: "serve coroutine none",
        "coroutine, asyncio's loop": "asyncio coroutine none",
        "coroutine, uvloop": "uvloop coroutine none",
        "function on a thread, EventLoop": "own plain none",
        "function on a thread, asyncio's loop": "asyncio plain none",
        "function on a thread, uvloop": "uvloop plain none",
    }
    for name, way in ways.items():
        if client == "C":
            measurement.enter(name, partial(lab.c_client, way, "unary", pace.seconds))
        else:
            run = partial(lab.python_client, FASTVARLINK, "unary", pace.seconds, server=way)
            measurement.enter(name, run)
    play(benchmark, board, pace, measurement)


@pytest.mark.parametrize("blocking", [1, 16])
@pytest.mark.parametrize("handlers", ["plain", "coroutine"])
def test_beside_handlers_that_block(
    handlers: str, blocking: int, benchmark: BenchmarkFixture, lab: Lab, board: Board, pace: Pace
) -> None:
    """The 99th percentile of quick calls while others block for 50 ms at a time."""
    ways = {
        "serve()": f"serve {handlers} none",
        "asyncio's loop": f"asyncio {handlers} none",
        "uvloop": f"uvloop {handlers} none",
    }
    if handlers == "plain":
        # With a coroutine, serve() serves in it anyway.
        ways["EventLoop"] = "own plain none"
    measurement = Measurement(
        f"99th percentile of quick calls to a {handlers} handler, and beside {blocking} that block",
        "serve(), quiet",
        "ns/call",
        [Target(f"{name}, beside", f"{name}, quiet", 2) for name in ways],
    )
    for name, way in ways.items():
        measurement.enter(f"{name}, quiet", partial(lab.tail, way, pace.seconds, "0"))
        measurement.enter(f"{name}, beside", partial(lab.tail, way, pace.seconds, str(blocking)))
    play(benchmark, board, pace, measurement)


def test_interceptors(benchmark: BenchmarkFixture, lab: Lab, board: Board, pace: Pace) -> None:
    """An interceptor that only counts. With 64 calls in flight no system calls hide what it costs."""
    none, counted = "function", "function, counted"
    awaited, awaited_counted = "coroutine", "coroutine, counted"
    measurement = Measurement(
        "an interceptor that counts: 64 calls in flight on one connection, C client",
        none,
        "ns/call",
        [Target(counted, none, 1000, more=True), Target(awaited_counted, awaited, 1000, more=True)],
    )
    for name, way in (
        (none, "serve plain none"),
        (counted, "serve plain counted"),
        (awaited, "serve coroutine none"),
        (awaited_counted, "serve coroutine counted"),
    ):
        measurement.enter(name, partial(lab.c_client, way, "window", pace.seconds))
    play(benchmark, board, pace, measurement)
