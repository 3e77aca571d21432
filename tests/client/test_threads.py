"""Threads that share a handler, and a pool: each reply is that to the thread's own call.

In a debug build the core also asserts that only the thread whose turn it is touches a connection.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import fastvarlink
from core.serving import Background
from fastvarlink import DeadlineExceeded
from fastvarlink.error import ConnectionBusy
from wire.sample import INTERFACE, RunningServer

THREADS = 16
ROUNDS = 60
#: Calls in all that the server holds on to, each on a thread of its own.
HELD = 24


@pytest.fixture(autouse=True)
def _eager_threads() -> Iterator[None]:
    """Threads change places as often as the interpreter can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


class Caller:
    """What one thread does, by dice of its own."""

    def __init__(self, handler: Any, number: int, held: list[int]) -> None:
        self._handler = handler
        self._number = number
        self._dice = random.Random(number)
        self._held = held
        self.busy = 0

    def run(self) -> None:
        for i in range(ROUNDS):
            what = self._dice.choice(
                [self._ping, self._ping, self._stream, self._leave, self._fail, self._exceed]
            )
            try:
                what(f"{self._number} {i}")
            except ConnectionBusy:
                # Another thread reads a stream.
                self.busy += 1

    def _ping(self, text: str) -> None:
        assert self._handler.Ping(text) == {"text": text}

    def _stream(self, text: str) -> None:
        count = self._dice.randrange(1, 6)
        assert list(self._handler.Count(count, _more=True)) == [{"i": i} for i in range(count)]

    def _leave(self, text: str) -> None:
        with self._handler.Endless(10, _more=True) as replies:
            assert set(next(replies)) == {"i", "filler"}

    def _fail(self, text: str) -> None:
        with pytest.raises(self._handler.Failed) as failed:
            self._handler.Fail(text, self._number)
        assert failed.value.parameters() == {"reason": text, "code": self._number}

    def _exceed(self, text: str) -> None:
        if not self._held:
            return
        self._held.pop()
        with pytest.raises(DeadlineExceeded):
            self._handler.Hold(text, _timeout=0.02)


@pytest.mark.parametrize("shared", ["handler", "pool"])
def test_no_reply_reaches_another_thread(
    server: RunningServer, open_handler: Callable[..., Any], make_pool: Callable[..., Any], shared: str
) -> None:
    handler = open_handler() if shared == "handler" else make_pool(size=5).open(INTERFACE)
    held = [0] * HELD
    callers = [Caller(handler, number, held) for number in range(THREADS)]
    threads = [Background(caller.run) for caller in callers]
    for thread in threads:
        thread.result()
    assert handler.Ping("after") == {"text": "after"}
    if shared == "pool":
        assert sum(caller.busy for caller in callers) == 0


def test_threads_with_pipelines_beside_a_pool(
    client: fastvarlink.Client, make_pool: Callable[..., Any]
) -> None:
    pool = make_pool(size=2).open(INTERFACE)

    def piped(number: int) -> None:
        for i in range(10):
            with client.pipeline() as pipeline:
                handler = pipeline.open(INTERFACE)
                replies = [handler.Ping(f"{number} {i} {j}") for j in range(50)]
            assert [r.result()["text"] for r in replies] == [f"{number} {i} {j}" for j in range(50)]

    def plain(number: int) -> None:
        for i in range(200):
            assert pool.Ping(f"{number} {i}") == {"text": f"{number} {i}"}

    for thread in [*(Background(piped, n) for n in range(4)), *(Background(plain, n) for n in range(4))]:
        thread.result()
