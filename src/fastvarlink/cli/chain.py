"""A program that this one becomes, with what a call has brought."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from socket import socket
from typing import NoReturn

from fastvarlink._core.control import Descriptors
from fastvarlink.cli.fault import MISUSED, fail
from fastvarlink.cli.session import Reply

__all__ = ["become"]

# Where programs that are passed descriptors look for the first.
FIRST = 3


def become(
    command: Sequence[str], reply: Reply, connection: socket | None, descriptors: Descriptors | None
) -> NoReturn:
    """Run the command in the place of this program.

    Its stdin is the reply's parameters as JSON; with a connection, its stdin and stdout are that. Descriptors
    that came with the reply are passed to it as systemd does: from 3 on, with their number in LISTEN_FDS.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LISTEN_")}
    if descriptors is not None and len(descriptors):
        taken = [os.dup(descriptors.take(index)) for index in range(len(descriptors))]
        # First out of the way of each other, and of where they go.
        high = [_above(fd, FIRST + len(taken)) for fd in taken]
        for place, fd in enumerate(high, FIRST):
            os.dup2(fd, place, inheritable=True)
        environment.update(LISTEN_FDS=str(len(taken)), LISTEN_PID=str(os.getpid()))
    if connection is None:
        os.dup2(_holding(json.dumps(reply.parameters, ensure_ascii=False) + "\n"), 0)
    else:
        os.dup2(connection.fileno(), 0)
        os.dup2(connection.fileno(), 1)
    try:
        os.execvpe(command[0], list(command), environment)
    except OSError as error:
        fail(f"The command {command[0]!r} cannot be run: {error.strerror}.", MISUSED)


def _above(fd: int, lowest: int) -> int:
    import fcntl

    return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, lowest)


def _holding(text: str) -> int:
    """A descriptor from which the text can be read, however long it is."""
    fd = os.memfd_create("reply", os.MFD_CLOEXEC)
    with open(fd, "wb", closefd=False) as file:
        file.write(text.encode("utf-8", "backslashreplace"))
    os.lseek(fd, 0, os.SEEK_SET)
    return fd
