"""A server and a scripted peer for each test, on fresh sockets, ended when the test is over."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvloop

from fastvarlink import aio
from wire.rawstream import PATIENCE, Pieces
from wire.sample import RunningServer
from wire.scripted import ScriptedPeer

from .running import settle


@pytest.fixture(scope="session", autouse=True)
def _young_garbage() -> None:
    """Tests that look for garbage do not look again through all that was there before, which takes longer."""
    gc.collect()
    gc.freeze()


LOOPS = {"asyncio": asyncio.new_event_loop, "own": aio.EventLoop, "uvloop": uvloop.new_event_loop}


@pytest.fixture(params=LOOPS)
def run(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Runs a coroutine function in each kind of loop, and sees that nothing is left of it."""

    def run_in_loop(main: Callable[[], Any], seconds: float = 3 * PATIENCE) -> None:
        reports: list[dict[str, Any]] = []

        async def whole() -> None:
            asyncio.get_running_loop().set_exception_handler(lambda _, report: reports.append(report))
            async with asyncio.timeout(seconds):
                await main()
            await settle()
            assert asyncio.all_tasks() == {asyncio.current_task()}

        with asyncio.Runner(loop_factory=LOOPS[request.param]) as runner:
            runner.run(whole())
        assert reports == []

    return run_in_loop


@pytest.fixture(params=["whole", "bytes"])
def pieces(request: pytest.FixtureRequest) -> Pieces:
    """How the raw side writes: every test runs both ways and must come out the same."""
    chosen: Pieces = request.param
    return chosen


@pytest.fixture
def peer(tmp_path: Path, pieces: Pieces) -> Iterator[ScriptedPeer]:
    scripted = ScriptedPeer(tmp_path, pieces)
    yield scripted
    scripted.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    running = RunningServer(tmp_path)
    yield running
    running.stop()
