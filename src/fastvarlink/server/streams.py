"""Standard input and output as one connection, for a service at the other end of ssh or a pipe (rule S3)."""

from __future__ import annotations

import contextlib
import os
import select
import stat
from fcntl import F_DUPFD_CLOEXEC, fcntl
from socket import SHUT_RD, SHUT_RDWR, SHUT_WR, socket

__all__ = ["StandardStreams", "take_standard_streams"]

STDIN, STDOUT, STDERR = 0, 1, 2


class StandardStreams:
    """A connection whose directions are two descriptors, which it owns.

    It has what serving needs of a socket. Closing it does not wake a thread that waits in it.
    """

    def __init__(self, reader: int, writer: int) -> None:
        self._reader = reader
        self._writer = writer

    def fileno(self) -> int:
        """The descriptor that is read from, -1 when it is closed."""
        return self._reader

    def gettimeout(self) -> float | None:
        """There is no time limit."""
        return None

    def recv(self, size: int) -> bytes:
        """At most ``size`` bytes, as soon as there are some; none at the end. OSError if it is closed."""
        while True:
            try:
                return os.read(self._reader, size)
            except BlockingIOError:
                # Whoever has the other end may have set it not to block.
                _wait(self._reader, select.POLLIN)

    def sendall(self, data: bytes) -> None:
        """Write all of the data. OSError if nobody reads it."""
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[os.write(self._writer, rest) :]
            except BlockingIOError:
                _wait(self._writer, select.POLLOUT)

    def shutdown(self, how: int) -> None:
        """End one direction, or both."""
        if how in (SHUT_RD, SHUT_RDWR):
            reader, self._reader = self._reader, -1
            _close(reader)
        if how in (SHUT_WR, SHUT_RDWR):
            writer, self._writer = self._writer, -1
            _close(writer)

    def close(self) -> None:
        """Close both descriptors."""
        self.shutdown(SHUT_RDWR)


def take_standard_streams() -> socket | StandardStreams:
    """Make one connection of standard input and output: the socket, where they are the same one.

    From then on this process and its children have /dev/null for standard input, and what they print goes
    to standard error: it would otherwise get between the replies. OSError if one of the two is closed.
    """
    given, taken = os.fstat(STDIN), os.fstat(STDOUT)
    same = stat.S_ISSOCK(given.st_mode) and (given.st_dev, given.st_ino) == (taken.st_dev, taken.st_ino)
    # Above the three, one of which may be closed.
    reader = fcntl(STDIN, F_DUPFD_CLOEXEC, 3)
    connection = socket(fileno=reader) if same else StandardStreams(reader, fcntl(STDOUT, F_DUPFD_CLOEXEC, 3))
    null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    try:
        os.dup2(null, STDIN)
        try:
            os.dup2(STDERR, STDOUT)
        except OSError:
            os.dup2(null, STDOUT)
    finally:
        os.close(null)
    return connection


def _wait(fd: int, event: int) -> None:
    poll = select.poll()
    poll.register(fd, event)
    poll.poll()


def _close(fd: int) -> None:
    if fd >= 0:
        with contextlib.suppress(OSError):
            os.close(fd)
