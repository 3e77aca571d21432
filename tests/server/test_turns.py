"""Whose turn it is among processes that share listening sockets, seen from two places."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from fastvarlink.server.turns import Turn, Turns


@dataclass
class Process:
    """One that takes connections, at its place."""

    turns: Turns
    place: int
    open: int = 0

    def __post_init__(self) -> None:
        self.turn = Turn(self.turns, self.place, lambda: self.open)
        self.turn.enter()

    def rung(self) -> bool:
        try:
            return os.eventfd_read(self.turn.bell) > 0
        except BlockingIOError:
            return False


@pytest.fixture
def turns() -> Iterator[Turns]:
    made = Turns(3)
    yield made
    made.close()


def test_who_has_the_fewest_takes_the_next(turns: Turns) -> None:
    first, second = Process(turns, 0), Process(turns, 2)
    assert first.turn.mine()
    assert second.turn.mine()
    first.open = 1
    assert not first.turn.mine()
    assert second.turn.mine()
    second.open = 1
    second.turn.tell()
    assert first.turn.mine()


def test_the_bell_of_who_has_the_fewest_rings(turns: Turns) -> None:
    first, second, third = (Process(turns, place, open) for place, open in enumerate((5, 4, 3)))
    first.turn.pass_on()
    assert [process.rung() for process in (first, second, third)] == [False, False, True]


def test_who_does_not_come_is_left_out_until_it_does(turns: Turns) -> None:
    hanging, other = Process(turns, 0), Process(turns, 1, open=3)
    assert not other.turn.mine()
    other.turn.insist()
    assert other.turn.mine()
    hanging.turn.tell()
    assert not other.turn.mine()


def test_who_has_left_is_waited_for_by_nobody(turns: Turns) -> None:
    leaving, other = Process(turns, 0), Process(turns, 1, open=3)
    leaving.turn.leave()
    leaving.turn.tell()
    assert other.turn.mine()
    leaving.turn.enter()
    assert not other.turn.mine()
    turns.clear(0)
    assert other.turn.mine()
    turns.expect(2)
    assert not other.turn.mine()


def test_who_has_given_its_place_says_nothing_more_there(turns: Turns) -> None:
    before, other = Process(turns, 0), Process(turns, 1, open=3)
    turns.expect(0)
    before.turn.give()
    before.open = 5
    before.turn.tell()
    before.turn.leave()
    assert not other.turn.mine()


def test_places_are_shared_with_children(turns: Turns) -> None:
    process = Process(turns, 0, open=2)
    pid = os.fork()
    if pid == 0:
        try:
            Process(turns, 1, open=1)
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    assert not process.turn.mine()
