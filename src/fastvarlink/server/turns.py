"""Which of several processes takes the next connection of the sockets that they share: one with the fewest.

Each process has a place in memory that all of them share, and writes into it how many connections it has
open. It takes one only while none has fewer. All are woken when connections come; one that stops taking, as
it has got more than another, wakes that one once more, through the bell at its place.

Nothing here is locked, and a place may for a moment be held by a process and by its successor. So what is
read may be out of date; whoever waits in vain for another to take its turn goes on without it (insist()).
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Callable

__all__ = ["Turn", "Turns"]

# Bytes from one place to the next, so that no two are in the same line of a cache; and the same in numbers.
LINE = 64
STEP = LINE // 8
# In the place of a process that takes none.
ABSENT = 2**63


class Turns:
    """The places, to be made before the processes are."""

    def __init__(self, places: int) -> None:
        # Anonymous, and shared with the processes that are forked later.
        self.counts = memoryview(mmap.mmap(-1, places * LINE)).cast("Q")
        self.bells: list[int] = []
        for place in range(places):
            self.bells.append(os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK))
            self.clear(place)

    def expect(self, place: int) -> None:
        """A process without connections is about to enter at a place: others are not to run ahead of it."""
        self.counts[place * STEP] = 0

    def clear(self, place: int) -> None:
        """Nobody takes any connections at a place."""
        self.counts[place * STEP] = ABSENT

    def close(self) -> None:
        """Close the bells."""
        while self.bells:
            os.close(self.bells.pop())


class Turn:
    """One process's view, from its place. ``count()`` says how many connections it has open."""

    def __init__(self, turns: Turns, place: int, count: Callable[[], int]) -> None:
        self._turns = turns
        self._place = place
        self._count = count
        self._present = False

    @property
    def bell(self) -> int:
        """The descriptor that tells, each time anew, that others leave connections to this process."""
        return self._turns.bells[self._place]

    def enter(self) -> None:
        """Connections are taken from here on."""
        self._present = True
        self.tell()

    def leave(self) -> None:
        """None are taken any more."""
        if self._present:
            self._present = False
            self._turns.clear(self._place)

    def give(self) -> None:
        """None are taken any more, and the place is that of a successor."""
        self._present = False

    def tell(self) -> None:
        """The number of open connections has changed."""
        if self._present:
            self._turns.counts[self._place * STEP] = self._count()

    def mine(self) -> bool:
        """True if no other process has fewer connections."""
        self.tell()
        return self._count() <= min(self._others())

    def pass_on(self) -> None:
        """Wake the one that has the fewest."""
        others = self._others()
        os.eventfd_write(self._turns.bells[others.index(min(others))], 1)

    def insist(self) -> None:
        """Go on without those that have fewer, until they tell again how many they have."""
        own = self._count()
        for place, count in enumerate(self._others()):
            if count < own:
                self._turns.clear(place)

    def _others(self) -> list[int]:
        counts = self._turns.counts[::STEP].tolist()
        counts[self._place] = ABSENT
        return counts
