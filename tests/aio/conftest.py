"""A server and a scripted peer for each test, on fresh sockets, ended when the test is over."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from wire.rawstream import Pieces
from wire.sample import RunningServer
from wire.scripted import ScriptedPeer


@pytest.fixture(scope="session", autouse=True)
def _young_garbage() -> None:
    """Tests that look for garbage do not look again through all that was there before, which takes longer."""
    gc.collect()
    gc.freeze()


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
