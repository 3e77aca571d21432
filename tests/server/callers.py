"""Clients that call all the time, and note which calls had no answer."""

from __future__ import annotations

import json
import threading
from collections import Counter
from types import TracebackType
from typing import Any, Self

from wire.rawstream import PATIENCE, RawStream


class Callers:
    """Threads that send the same call again and again: some on a connection each, some on one for each call.

    A connection that is found closed, before a call or while it is sent, is replaced, if ``again`` is true;
    the call had not been accepted then. One that has been sent must be answered.
    """

    def __init__(
        self, address: str, call: bytes, lasting: int = 2, brief: int = 2, again: bool = True
    ) -> None:
        self.address = address
        self.call = call
        self.again = again
        self.replies: Counter[str] = Counter()
        self.lost: list[str] = []
        self.refused: list[str] = []
        self._stop = threading.Event()
        self._answered = threading.Condition()
        self._threads = [threading.Thread(target=self._last) for _ in range(lasting)]
        self._threads += [threading.Thread(target=self._be_brief) for _ in range(brief)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(PATIENCE)
        assert not any(thread.is_alive() for thread in self._threads)

    def wait_for(self, count: int, reply: dict[str, Any] | None = None) -> None:
        """Wait until so many more calls have been answered, if ``reply`` is given: with that."""
        key = None if reply is None else json.dumps(reply)

        def seen() -> int:
            return self.replies.total() if key is None else self.replies[key]

        with self._answered:
            wanted = seen() + count
            assert self._answered.wait_for(lambda: seen() >= wanted or self.refused, PATIENCE), self.replies
            assert seen() >= wanted, self.refused

    def _connect(self) -> RawStream | None:
        try:
            return RawStream.connect(self.address)
        except OSError as failure:
            self.refused.append(repr(failure))
            return None

    def _ask(self, stream: RawStream, first: bool) -> bool:
        """Make a call; True if it was answered. The first one of a connection must not fail to be sent."""
        try:
            stream.socket.sendall(self.call)
        except OSError as failure:
            if first:
                self.lost.append(repr(failure))
            return False
        try:
            reply = stream.read_reply()
        except (OSError, AssertionError) as failure:
            self.lost.append(repr(failure))
            return False
        with self._answered:
            self.replies[json.dumps(reply["parameters"])] += 1
            self._answered.notify_all()
        return True

    def _last(self) -> None:
        while not self._stop.is_set() and (stream := self._connect()) is not None:
            with stream:
                first = True
                while not self._stop.is_set() and self._ask(stream, first):
                    first = False
            if not self.again:
                return

    def _be_brief(self) -> None:
        while not self._stop.is_set() and (stream := self._connect()) is not None:
            with stream:
                self._ask(stream, True)
