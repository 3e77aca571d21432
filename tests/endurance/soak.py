"""A client that does everything: soak.py PATH SEED. For ``SECONDS`` on its input it tells how much it did.

Each reply is checked. What is given up (a stream, a call that takes too long) is followed by other calls,
which go over a new connection.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import sys
import time
from collections import Counter
from typing import Any

import pytest

import fastvarlink

from .endpoints import INTERFACE


class Everything:
    """The ways to use a service, each as a method that checks what comes of it."""

    def __init__(self, path: str, seed: int) -> None:
        self._client = fastvarlink.Client(f"unix:{path}")
        self._handler: Any = self._client.open(INTERFACE)
        self._chance = random.Random(seed)
        self._number = 0

    def close(self) -> None:
        self._handler.close()

    def text(self) -> str:
        self._number += 1
        return f"{os.getpid()}-{self._number}"

    def call(self) -> None:
        text = self.text()
        assert self._handler.Ping(text) == {"text": text}

    def large(self) -> None:
        size = self._chance.randrange(1, 300_000)
        assert self._handler.Big(size) == {"text": "x" * size}

    def stream(self) -> None:
        n = self._chance.randrange(1, 50)
        replies = [reply["i"] for reply in self._handler.Count(n, 10, _more=True)]
        assert replies == list(range(1, n + 1))

    def left(self) -> None:
        with self._handler.Count(-1, 100, _more=True) as replies:
            assert [next(replies)["i"] for _ in range(5)] == [1, 2, 3, 4, 5]

    def oneway(self) -> None:
        assert self._handler.Note("x", _oneway=True) is None
        self.call()

    def error(self) -> None:
        text = self.text()
        with pytest.raises(self._handler.Refused) as caught:
            self._handler.Fail(text)
        assert caught.value.parameters() == {"text": text}

    def timeout(self) -> None:
        with self._client.open(INTERFACE) as handler:
            handler._connection.settimeout(0.005)
            # On a busy machine the reply may be there before the time is looked at.
            with contextlib.suppress(TimeoutError):
                assert handler.Sleep(50) == {"milliseconds": 50}

    def upgrade(self) -> None:
        _, connection = self._handler.Turn(_upgrade=True)
        with connection:
            connection.sendall(b"echo")
            data = b""
            while len(data) < 4:
                data += connection.recv(4)
            assert data == b"echo"

    def descriptors(self) -> None:
        text = self.text()
        reading, writing = os.pipe()
        os.write(writing, b"there")
        os.close(writing)
        with fastvarlink.Descriptors() as descriptors:
            descriptors.give(reading)
            assert self._handler.Swap(text, _descriptors=descriptors) == {"text": "there"}
            with open(descriptors.take(0), encoding="utf-8") as file:
                assert file.read() == text

    def reconnect(self) -> None:
        self._handler.close()
        self._handler = self._client.open(INTERFACE)
        self.call()

    def run(self, seconds: float) -> dict[str, int]:
        """Do one after the other, at random; how often each was done."""
        done: Counter[str] = Counter()
        usual = [self.call, self.call, self.large, self.stream, self.oneway, self.error, self.descriptors]
        seldom = [self.left, self.timeout, self.upgrade, self.reconnect]
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            each = self._chance.choice(usual if self._chance.random() < 0.9 else seldom)
            each()
            done[each.__name__] += 1
        return dict(done)


def main() -> None:
    everything = Everything(sys.argv[1], int(sys.argv[2]))
    for command in sys.stdin:
        print(json.dumps(everything.run(float(command))), flush=True)
    everything.close()


main()
