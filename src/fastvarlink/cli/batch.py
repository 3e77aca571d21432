"""Many calls on one connection: lines become calls, replies become lines, and neither waits for the other."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from selectors import EVENT_READ, EVENT_WRITE, BaseSelector, DefaultSelector
from socket import socket

import orjson

from fastvarlink._core.session import ClientSession
from fastvarlink.cli.fault import FAILED, REJECTED, fail
from fastvarlink.cli.output import show_bytes
from fastvarlink.error import ConnectionLost
from fastvarlink.limits import Limits

__all__ = ["Batch"]

CHUNK = 1 << 18
# So many bytes of calls wait to be written, and so many calls for their replies, before no more lines are
# read: a service that is slower than stdin holds it up.
MOST_UNSENT = 1 << 20
MOST_WAITING = 1 << 14


class _BadLineError(Exception):
    """A line that is no call."""


class Batch:
    """Calls from stdin, each a line of JSON, and their replies on stdout, each a line as it came.

    With ``method``, a line is that method's parameters; else it is a call with its method, its parameters and
    its flags. Errors in ``graceful`` do not count.
    """

    def __init__(
        self, connection: socket, method: str | None, graceful: list[str], timeout: float | None
    ) -> None:
        self._connection = connection
        self._head = None if method is None else b'{"method":"' + method.encode() + b'","parameters":'
        self._graceful = graceful
        self._timeout = timeout
        self._session = ClientSession(Limits(), strict=False)
        self._unsent = memoryview(b"")
        self._waiting = 0  # calls whose last reply has not come
        self._rest = b""  # of a line that has begun
        self._count = 0  # lines
        self._status: int | None = None
        self._complaint: str | None = None
        self._stdin: int | None = None

    def run(self) -> int | None:
        """Make all calls, and return the exit status. Raises what ends the connection too early."""
        if sys.stdin is None:
            fail("The calls cannot be read: stdin is closed.", REJECTED)
        self._stdin = sys.stdin.fileno()
        self._connection.setblocking(False)
        with DefaultSelector() as selector:
            selector.register(self._connection, EVENT_READ)
            always = not _is_pollable(selector, self._stdin)
            while self._stdin is not None or self._unsent or self._waiting:
                self._step(selector, always)
        if self._complaint is not None:
            fail(self._complaint, REJECTED)
        return self._status

    def _step(self, selector: BaseSelector, always: bool) -> None:
        takes = self._stdin is not None and len(self._unsent) < MOST_UNSENT and self._waiting < MOST_WAITING
        if takes and always:
            self._read_lines()
        elif not always:
            _watch(selector, sys.stdin.fileno(), takes)
        self._write()
        selector.modify(self._connection, EVENT_READ | EVENT_WRITE if self._unsent else EVENT_READ)
        idle = not self._unsent and not self._waiting
        if idle and (always or self._stdin is None):
            return
        ready = selector.select(0 if takes and always else None if idle else self._timeout)
        if not ready and not (takes and always):
            raise TimeoutError(f"No reply came within {self._timeout:g} seconds.")
        for key, events in ready:
            if key.fileobj is not self._connection:
                self._read_lines()
            elif events & EVENT_READ:
                self._read_replies()

    # ---- calls

    def _read_lines(self) -> None:
        assert self._stdin is not None
        data = os.read(self._stdin, CHUNK)
        *lines, self._rest = (self._rest + data).split(b"\n")
        if not data:
            self._stdin = None
            lines.append(self._rest)
        try:
            for line in lines:
                self._count += 1
                if line and not line.isspace():
                    self._call(line)
        except _BadLineError as error:
            # What was asked before is still answered.
            self._stdin = None
            self._complaint = f"Line {self._count} of stdin {error}. The calls from there on were not made."
        self._unsent = memoryview(bytes(self._unsent) + self._session.data_to_send())

    def _call(self, line: bytes) -> None:
        try:
            value = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise _BadLineError(f"is not JSON: {error}") from None
        if not isinstance(value, dict):
            raise _BadLineError("is no JSON object")
        if self._head is not None:
            self._session.send_message(self._head + line.strip() + b"}")
            self._waiting += 1
            return
        try:
            self._session.send_message(line.strip())
        except ValueError as error:
            raise _BadLineError(
                f'is no call, which reads {{"method": ..., "parameters": ...}}: {error}'
            ) from None
        self._waiting += not value.get("oneway")

    def _write(self) -> None:
        while self._unsent:
            try:
                sent = self._connection.send(self._unsent)
            except BlockingIOError:
                return
            self._unsent = self._unsent[sent:]

    # ---- replies

    def _read_replies(self) -> None:
        try:
            data = self._connection.recv(CHUNK)
        except BlockingIOError:
            return
        if not data:
            raise ConnectionLost("The connection is lost. The service has closed it.")
        self._session.receive(data)
        show_bytes(b"".join(self._lines()))

    def _lines(self) -> Iterator[bytes]:
        while (reply := self._session.next_frame()) is not None:
            self._waiting -= self._session.last
            if b'"error"' in reply:
                self._judge(reply)
            # A line break can only stand between its values.
            yield (reply.replace(b"\n", b" ") if b"\n" in reply else reply) + b"\n"

    def _judge(self, reply: bytes) -> None:
        error = orjson.loads(reply).get("error")
        if error is not None and error not in self._graceful:
            self._status = FAILED


def _is_pollable(selector: BaseSelector, fd: int) -> bool:
    try:
        selector.register(fd, EVENT_READ)
    except PermissionError:
        # epoll takes no regular file; one is always ready.
        return False
    return True


def _watch(selector: BaseSelector, fd: int, wanted: bool) -> None:
    watched = fd in selector.get_map()
    if wanted and not watched:
        selector.register(fd, EVENT_READ)
    elif watched and not wanted:
        selector.unregister(fd)
