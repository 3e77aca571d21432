"""One direction of a connection that is passed on: bytes and file descriptors, as they come."""

from __future__ import annotations

import contextlib
import os
import socket
from array import array
from collections.abc import Callable
from typing import NamedTuple

__all__ = ["Arrival", "DescriptorsLost", "Flow"]

CHUNK = 65536
# Linux lets no more descriptors travel with one message.
MOST_DESCRIPTORS = 253
_ROOM = socket.CMSG_SPACE(MOST_DESCRIPTORS * array("i").itemsize)


class DescriptorsLost(Exception):
    """The system could not hand out all descriptors that came: passing the rest on would be a lie."""


class Arrival(NamedTuple):
    """What one read took: no data is the end. ``stripped`` says that descriptors came and cannot go on."""

    data: bytes
    descriptors: int = 0
    stripped: bool = False


class Flow:
    """What comes from ``source`` goes to ``sink``; neither blocks.

    Nothing is read before all that was read has gone. So a sink that takes nothing holds its source up, and
    no more than one read is kept.
    """

    def __init__(self, source: socket.socket, sink: socket.socket) -> None:
        self.source = source
        self.sink = sink
        #: The sink has been told of the end, or takes nothing any more.
        self.done = False
        self._ended = False
        self._waiting = memoryview(b"")
        self._descriptors: list[int] = []
        self._from_unix = source.family == socket.AF_UNIX
        self._carries = self._from_unix and sink.family == socket.AF_UNIX

    @property
    def hungry(self) -> bool:
        """Whether more is to be read."""
        return not self._ended and not self.done and not self._waiting

    @property
    def blocked(self) -> bool:
        """Whether something waits for the sink."""
        return bool(self._waiting)

    def receive(self, stretch: Callable[[bytes], int]) -> Arrival | None:
        """Read what has come, None for nothing. OSError when the source is lost.

        ``stretch`` tells how many of some bytes to pass on by themselves where descriptors wait among them.
        """
        try:
            arrival = self._read(stretch)
        except BlockingIOError:
            return None
        self._ended = not arrival.data
        self._waiting = memoryview(arrival.data)
        return arrival

    def _read(self, stretch: Callable[[bytes], int]) -> Arrival:
        if not self._from_unix:
            return Arrival(self.source.recv(CHUNK))
        if not self._carries:
            # Without room for them the system keeps descriptors, and tells.
            data, _, flags, _ = self.source.recvmsg(CHUNK)
            return Arrival(data, stripped=bool(flags & socket.MSG_CTRUNC))
        # A read does not stop in front of descriptors, and they are sent with its first byte. A look tells
        # whether there are any; then what they may belong to is read by itself.
        data, _, flags, _ = self.source.recvmsg(CHUNK, 0, socket.MSG_PEEK)
        size = len(data)
        if flags & socket.MSG_CTRUNC:
            size = stretch(data)
        if not size:
            return Arrival(b"")
        data, ancillary, flags, _ = self.source.recvmsg(size, _ROOM, socket.MSG_CMSG_CLOEXEC)
        for level, kind, content in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                numbers = array("i")
                numbers.frombytes(content[: len(content) - len(content) % numbers.itemsize])
                self._descriptors.extend(numbers)
        if flags & socket.MSG_CTRUNC:
            raise DescriptorsLost
        return Arrival(data, len(self._descriptors))

    def pass_on(self) -> bool:
        """Write what waits, as far as the sink takes it. True when the end is all that is left to pass on."""
        try:
            while self._waiting:
                self._waiting = self._waiting[self._write() :]
        except BlockingIOError:
            return False
        except OSError:
            # Whoever is there takes nothing any more. What it still says is passed on all the same.
            self.drop()
            return False
        return self._ended and not self.done

    def finish(self) -> None:
        """Pass the end on."""
        self.done = True
        with contextlib.suppress(OSError):
            self.sink.shutdown(socket.SHUT_WR)

    def _write(self) -> int:
        if not self._descriptors:
            return self.sink.send(self._waiting)
        rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", self._descriptors))
        written = self.sink.sendmsg([self._waiting], [rights])
        self._close_descriptors()
        return written

    def drop(self) -> None:
        """Forget what waits, and pass nothing on any more."""
        self.done = True
        self._waiting = memoryview(b"")
        self._close_descriptors()

    def _close_descriptors(self) -> None:
        while self._descriptors:
            os.close(self._descriptors.pop())
