"""A service that is late, writes in pieces and drops connections: no reply reaches another call."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

import fastvarlink
from core.serving import Background
from fastvarlink import DeadlineExceeded
from fastvarlink.error import ConnectionBusy, ConnectionLost

from .storm import INTERFACE, Storm

THREADS = 8
CALLS = 250
#: What may become of a call in this weather, besides its reply.
WEATHER = (ConnectionLost, ConnectionBusy, DeadlineExceeded)


@pytest.fixture(params=[1, 2])
def storm(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Storm]:
    made = Storm(tmp_path, request.param)
    yield made
    made.end()


class Boat:
    """A handler that threads share. One whose connection the service has dropped is replaced by the next."""

    def __init__(self, board: Callable[[], Any]) -> None:
        self._board = board
        self._lock = threading.Lock()
        self.handler = board()

    def sunk(self, handler: Any) -> None:
        with self._lock:
            if handler is self.handler:
                handler.close()
                self.handler = self._board()


class Sailor:
    """A thread that calls, by dice of its own, and checks what it gets."""

    def __init__(self, boat: Boat, numbers: Iterator[int], seed: int) -> None:
        self._boat = boat
        self._numbers = numbers
        self._dice = random.Random(seed)
        self.answered = 0

    def run(self) -> None:
        ways = [self._ask, self._ask, self._ask, self._fail, self._repeat, self._note]
        for _ in range(CALLS):
            timeout = self._dice.choice([None, 5, 0.01, 0.002])
            self._handler = self._boat.handler
            try:
                self._dice.choice(ways)(next(self._numbers), timeout)
            except ConnectionLost:
                self._boat.sunk(self._handler)
            except WEATHER:
                pass
            else:
                self.answered += 1

    def _ask(self, number: int, timeout: float | None) -> None:
        assert self._handler.Ask(number, _timeout=timeout) == {"id": number}

    def _note(self, number: int, timeout: float | None) -> None:
        assert self._handler.Ask(number, _oneway=True, _timeout=timeout) is None

    def _fail(self, number: int, timeout: float | None) -> None:
        with pytest.raises(self._handler.Failed) as failed:
            self._handler.Fail(number, _timeout=timeout)
        assert failed.value.parameters() == {"id": number}

    def _repeat(self, number: int, timeout: float | None) -> None:
        most = self._dice.randrange(1, 6)
        with self._handler.Repeat(number, _more=True, _timeout=timeout) as replies:
            for n, reply in zip(range(most), replies, strict=False):
                assert reply == {"id": number, "n": n}


def test_no_reply_reaches_another_call_of_a_pool(storm: Storm) -> None:
    with fastvarlink.Pool(storm.address, size=3) as pool:
        pool.add_interface(storm.interface)
        handler = pool.open(INTERFACE)
        sail(Boat(lambda: handler))


def test_no_reply_reaches_another_call_of_a_handler(storm: Storm) -> None:
    with fastvarlink.Client(storm.address) as client:
        client.add_interface(storm.interface)
        sail(Boat(lambda: client.open(INTERFACE))).close()


def sail(boat: Boat) -> Any:
    """Have all sailors call; the handler that is left."""
    numbers = count()
    sailors = [Sailor(boat, numbers, seed) for seed in range(THREADS)]
    for thread in [Background(sailor.run) for sailor in sailors]:
        thread.result()
    # It is bad weather, not the end of the world.
    assert sum(sailor.answered for sailor in sailors) > CALLS // 10
    return boat.handler


def test_no_reply_reaches_another_call_of_a_pipeline(storm: Storm) -> None:
    answered = 0
    dice = random.Random(0)
    numbers = count()
    with fastvarlink.Client(storm.address) as client:
        client.add_interface(storm.interface)
        for _ in range(150):
            answered += piped(client, dice, numbers)
    assert answered > 500


def piped(client: fastvarlink.Client, dice: random.Random, numbers: Iterator[int]) -> int:
    """One pipeline: how many of its calls were answered."""
    asked: list[tuple[int, bool, fastvarlink.PendingReply]] = []
    try:
        with client.pipeline(timeout=dice.choice([None, 5, 0.02])) as pipeline:
            handler = pipeline.open(INTERFACE)
            for _ in range(dice.randrange(1, 40)):
                number = next(numbers)
                if dice.random() < 0.3:
                    asked.append((number, True, handler.Repeat(number, _more=True)))
                else:
                    asked.append((number, False, handler.Ask(number)))
                if dice.random() < 0.05:
                    asked[-1][2].result()
    except WEATHER:
        pass
    answered = 0
    for number, more, reply in asked:
        assert reply.done
        try:
            result = reply.result()
        except WEATHER:
            continue
        answered += 1
        for each in result if more else [result]:
            assert each["id"] == number
    return answered
