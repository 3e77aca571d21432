"""Calls that are made to be timed: one after the other, or as many as a connection carries.

They go by the compiled client's channel: its cost is the little that any program pays for a call.
"""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from fastvarlink._core.channel import Channel
from fastvarlink.cli.fault import explain
from fastvarlink.cli.target import Target
from fastvarlink.cli.traffic.latencies import Latencies
from fastvarlink.error import ProtocolError
from fastvarlink.limits import Limits

__all__ = ["MOST_IN_FLIGHT", "Answer", "Caller", "Flooder", "Lost"]

#: Calls that fit into a socket while the service waits for its replies to be read: else both would wait.
MOST_IN_FLIGHT = 128
# What they may take there, with what the system adds to each.
_ROOM, _ADDED = 160_000, 1024

PAUSE = 0.1  # seconds before a flood connects again


class Lost(Exception):
    """A call was not answered. Its text says why."""


class Answer:
    """A reply: how many nanoseconds it took, its bytes, and the name of its error, if it is one."""

    __slots__ = ("error", "size", "span")

    def __init__(self, span: int, reply: bytes) -> None:
        self.span = span
        self.size = len(reply)
        self.error = error_in(reply)


def error_in(reply: bytes) -> str | None:
    """The error that a reply is."""
    # Looking is cheap, decoding is not.
    if b'"error"' not in reply:
        return None
    error = json.loads(reply).get("error")
    return None if error is None else str(error)


class Caller:
    """Makes one and the same call, on a connection that is made anew when it was lost."""

    def __init__(self, target: Target, message: bytes) -> None:
        self._target = target
        self._message = message
        self._channel: Channel | None = None

    def connect(self) -> int:
        """Connect: how many nanoseconds it took. OSError if that fails."""
        before = time.perf_counter_ns()
        connection = self._target.dial()
        took = time.perf_counter_ns() - before
        self._channel = Channel(connection, Limits(), strict=False)
        return took

    @property
    def connected(self) -> bool:
        """Whether there is a connection."""
        return self._channel is not None

    def call(self) -> Answer:
        """Make the call. Lost if no reply comes, ProtocolError if what comes is none."""
        with self.losing():
            channel, timeout = self.channel(), self._target.timeout
            before = time.perf_counter_ns()
            channel.send_message(self._message, timeout)
            reply = channel.next_message(timeout)
            return Answer(time.perf_counter_ns() - before, reply)

    def channel(self) -> Channel:
        """The connection, made anew if there is none."""
        if self._channel is None:
            self.connect()
        assert self._channel is not None
        return self._channel

    def close(self) -> None:
        """Close the connection. A thread that waits for a reply gets Lost."""
        channel, self._channel = self._channel, None
        if channel is not None:
            channel.close()

    @contextmanager
    def losing(self) -> Iterator[None]:
        """Close the connection when the block fails, and raise Lost for what may be better the next time."""
        try:
            yield
        except BaseException as error:
            self.close()
            if isinstance(error, ProtocolError) or not isinstance(error, OSError):
                raise
            if isinstance(error, TimeoutError) and self._target.timeout is not None:
                raise Lost(f"no reply within {self._target.timeout:g} s") from error
            raise Lost(explain(self._target.name, error)[0]) from error


class Flooder(Thread):
    """Calls as fast as replies come, on a connection of its own, with up to ``in_flight`` calls unanswered.

    ``count`` is how many calls it makes, None for all until stop(). ``fault`` is what ended it before.
    """

    def __init__(
        self, target: Target, message: bytes, in_flight: int, count: int | None, stopping: Event
    ) -> None:
        super().__init__(daemon=True)
        self.latencies = Latencies(False)
        self.lost = 0
        self.errors = 0
        self.first_error: str | None = None
        self.fault: Exception | None = None
        self._caller = Caller(target, message)
        self._message = message
        self._timeout = target.timeout
        self._in_flight = max(1, min(in_flight, _ROOM // (len(message) + _ADDED)))
        self._left = count
        self._stopping = stopping

    def connect(self) -> int:
        """Connect, before it is started: how many nanoseconds it took."""
        return self._caller.connect()

    def cut(self) -> None:
        """Close the connection: what waits for a reply is lost."""
        self._caller.close()

    def run(self) -> None:
        """Call."""
        try:
            while self._wanted:
                self._flood()
        except Exception as error:
            self.fault = error
        finally:
            self._caller.close()

    @property
    def _wanted(self) -> bool:
        return not self._stopping.is_set() and self._left != 0

    def _flood(self) -> None:
        """Call until that is enough, or the connection is lost."""
        # When they were sent that wait for their replies.
        sent: deque[int] = deque()
        try:
            with self._caller.losing():
                self._exchange(sent)
        except Lost:
            if not sent and self._left is not None:
                # The next one could not even be sent.
                self._left -= 1
            self.lost += len(sent) or 1
            self._stopping.wait(PAUSE)

    def _exchange(self, sent: deque[int]) -> None:
        channel, timeout, now = self._caller.channel(), self._timeout, time.perf_counter_ns
        while True:
            while len(sent) < self._in_flight and self._wanted:
                if self._left is not None:
                    self._left -= 1
                sent.append(now())
                channel.send_message(self._message, timeout)
            if not sent:
                return
            reply = channel.next_message(timeout)
            self.latencies.add(now() - sent.popleft())
            error = error_in(reply)
            if error is not None:
                self.errors += 1
                self.first_error = self.first_error or error
