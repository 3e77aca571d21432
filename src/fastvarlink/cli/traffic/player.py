"""Recorded calls, made again: in the order of the recording, each when the replies before it are there."""

from __future__ import annotations

import json
import select
import time
from collections import deque
from collections.abc import Iterator, Sequence
from socket import socket
from typing import Any, NamedTuple

from fastvarlink._core.framing import FrameReader, frame_of
from fastvarlink.cli.target import Target
from fastvarlink.cli.traffic.difference import ABSENT, Difference, differences
from fastvarlink.cli.traffic.recording import Record
from fastvarlink.error import ConnectionLost, DeadlineExceeded, ProtocolError
from fastvarlink.limits import Limits

__all__ = ["Compared", "Player", "plain"]

CHUNK = 65536


class Compared(NamedTuple):
    """Where a reply that came differs from the recorded one, if anywhere."""

    #: The call.
    call: Record
    #: Which of the replies to its call it is, from 1.
    number: int
    found: list[Difference]


class _Call:
    """A call that was made, and the replies to it that came."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self.replies: list[dict[str, Any]] = []
        self.compared = 0
        self.finished = False


class _Line:
    """A connection on which calls go out while replies come in."""

    def __init__(self, connection: socket, timeout: float | None) -> None:
        connection.setblocking(False)
        self._connection = connection
        self._timeout = timeout
        self._reader = FrameReader(Limits().max_message_size)
        self._poll = select.poll()
        self._ended = False
        self._waiting: deque[_Call] = deque()
        self.calls: dict[int, _Call] = {}

    def close(self) -> None:
        self._connection.close()

    def make(self, record: Record) -> None:
        """Make a call."""
        call = _Call(record)
        self.calls[record.call] = call
        text = json.dumps(record.message, ensure_ascii=False, separators=(",", ":"))
        # Half of a surrogate pair can be written in JSON, and only so.
        rest = memoryview(frame_of(text.encode("utf-8", "backslashreplace")))
        while rest:
            try:
                rest = rest[self._connection.send(rest) :]
            except BlockingIOError:
                self._wait(select.POLLIN | select.POLLOUT, record)
                self._receive()
        if record.message.get("oneway") is not True:
            self._waiting.append(call)

    def reply(self, call: _Call) -> dict[str, Any] | None:
        """The next reply to a call, None when there is none any more."""
        while len(call.replies) <= call.compared and not call.finished:
            if self._take():
                continue
            if self._ended:
                raise ConnectionLost(
                    f"The service closed the connection and had not answered {_named(call)}."
                )
            self._wait(select.POLLIN, call.record)
            self._receive()
        if len(call.replies) <= call.compared:
            return None
        call.compared += 1
        return call.replies[call.compared - 1]

    def _take(self) -> bool:
        """Give the next message that is there to the call that it answers."""
        frame = self._reader.next_frame()
        if frame is None:
            return False
        try:
            message = json.loads(frame)
        except (ValueError, RecursionError) as error:
            raise ProtocolError(f"It sent a reply that is not JSON: {error}.") from None
        if not isinstance(message, dict) or not self._waiting:
            raise ProtocolError("It sent a message that answers no call.")
        call = self._waiting[0]
        call.replies.append(message)
        if message.get("continues") is not True:
            call.finished = True
            self._waiting.popleft()
        return True

    def _receive(self) -> None:
        try:
            data = self._connection.recv(CHUNK)
        except BlockingIOError:
            return
        self._ended = not data
        self._reader.receive(data)

    def _wait(self, what: int, record: Record) -> None:
        if self._ended:
            raise ConnectionLost(f"The service closed the connection before {record.method} was made.")
        self._poll.register(self._connection, what)
        timeout = self._timeout
        if not self._poll.poll(None if timeout is None else timeout * 1000) and timeout is not None:
            raise DeadlineExceeded(
                f"{record.method} was not answered within {timeout:g} seconds.", None, timeout
            )


class Player:
    """Makes the calls of a recording anew at a target.

    ``speed`` 0 makes each call as soon as what was recorded before it is over, 1 at the recorded time, 2 in
    half of it. ``skipped`` has the calls that could not be made.
    """

    def __init__(self, records: Sequence[Record], target: Target, speed: float) -> None:
        self._records = records
        self._target = target
        self._speed = speed
        self._lines: dict[int, _Line] = {}
        self.calls = 0
        self.skipped: list[Record] = []

    def play(self) -> Iterator[Compared]:
        """Make all calls, and compare each reply. OSError when the service is lost or breaks the protocol."""
        start = time.monotonic()
        first = next((record.time for record in self._records if record.kind == "call"), 0.0)
        try:
            for record in self._records:
                if record.kind == "call":
                    if self._speed:
                        time.sleep(max(0.0, start + (record.time - first) / self._speed - time.monotonic()))
                    self._call(record)
                elif record.kind == "reply":
                    yield from self._reply(record)
                elif record.kind == "end" and record.connection in self._lines:
                    self._lines.pop(record.connection).close()
        finally:
            for line in self._lines.values():
                line.close()

    def _call(self, record: Record) -> None:
        if record.descriptors:
            self.skipped.append(record)
            return
        line = self._lines.get(record.connection)
        if line is None:
            line = self._lines[record.connection] = _Line(self._target.connect(), self._target.timeout)
        line.make(record)
        self.calls += 1

    def _reply(self, record: Record) -> Iterator[Compared]:
        line = self._lines.get(record.connection)
        call = None if line is None else line.calls.get(record.call)
        if line is None or call is None:
            # To a call that was not made.
            return
        number = call.compared + 1
        came = line.reply(call)
        recorded = plain(record.message)
        if came is None:
            # Shorter than it was: each that is missing counts.
            call.compared += 1
            yield Compared(call.record, number, [Difference((), recorded, ABSENT)])
            return
        yield Compared(call.record, number, list(differences(recorded, plain(came))))


def plain(message: dict[str, Any]) -> dict[str, Any]:
    """A message with one form for what can be said in several: no parameters, and flags that are not set."""
    said = {name: value for name, value in message.items() if value not in (None, False)}
    said["parameters"] = message.get("parameters") or {}
    return said


def _named(call: _Call) -> str:
    return (
        f"call {call.record.call} of the recorded connection {call.record.connection}, {call.record.method}"
    )
