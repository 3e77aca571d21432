"""A signal handler that raises, before every line that a server runs while it begins to serve."""

from __future__ import annotations

import gc
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import fastvarlink
from fastvarlink.server import Server, ThreadingServer
from fastvarlink.server.listening import Listening
from fastvarlink.server.program import ProgramServer, Settings
from wire.rawstream import PATIENCE

FILES = os.path.join(os.path.dirname(fastvarlink.__file__), "server", "")


class Interruption:
    """Raises KeyboardInterrupt where a number of lines of the server have been run on this thread."""

    def __init__(self, lines: int) -> None:
        self.left = lines

    def __call__(self, frame: FrameType, event: str, argument: object) -> Any:
        if not frame.f_code.co_filename.startswith(FILES):
            return None
        if event == "line":
            self.left -= 1
            if self.left == 0:
                raise KeyboardInterrupt
        return self


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.parametrize("kind", [Server, ThreadingServer])
def test_before_every_line_of_the_beginning(tmp_path: Path, kind: type[Server]) -> None:
    """A thread that had been noted, and not started, made server_close() fail."""

    class Stopping(kind):  # type: ignore[misc, valid-type]
        def service_actions(self) -> None:
            self._request_stop()

    service = fastvarlink.Service("Example", "Interrupted", "1", "https://example.org")
    before = descriptors()
    tracer = sys.gettrace()
    interrupted, lines = True, 0
    while interrupted:
        lines += 1
        with Stopping(f"unix:{tmp_path}/{lines}", service) as server:
            sys.settrace(Interruption(lines))
            try:
                server.serve_forever(0.001)
                interrupted = False
            except KeyboardInterrupt:
                pass
            finally:
                sys.settrace(tracer)
    gc.collect()
    assert lines > 20
    assert descriptors() <= before
    assert os.listdir(tmp_path) == []


class EndingAtOnce:
    """Whoever a server answers to, that has it end when it could begin."""

    interval = None

    def turn(self, _count: Callable[[], int]) -> None:
        return None

    def begin(self, server: ProgramServer, _reactor: Any) -> None:
        server.drain(PATIENCE)

    def alive(self) -> None: ...

    def idle(self) -> None: ...

    def stopping(self) -> None: ...


def test_who_ends_before_it_has_begun_does_not_wait_for_a_connection(tmp_path: Path) -> None:
    listening = Listening()
    listening.open((f"unix:{tmp_path}/socket",), 5, connections=False)
    service = fastvarlink.Service("Example", "Interrupted", "1", "https://example.org")
    settings = Settings(fastvarlink.Limits(), True, None, PATIENCE)
    try:
        with ProgramServer(service, listening, settings, EndingAtOnce()) as server:
            thread = threading.Thread(target=server.serve_forever, daemon=True)
            thread.start()
            thread.join(PATIENCE)
            assert not thread.is_alive()
    finally:
        listening.close()
