"""Marks on sockets that tell others what they are for: the extended attribute ``user.varlink`` (rule S6)."""

from __future__ import annotations

import contextlib
import errno
import os
from socket import AF_UNIX, socket
from typing import Literal

__all__ = ["mark", "mark_file"]

ATTRIBUTE = "user.varlink"

# What a kernel says that knows no such attributes of sockets.
_NEVER = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS}

# The roles whose mark the kernel has refused. It would refuse the next one as well.
_refused: set[str] = set()


def mark(endpoint: socket, role: Literal["listen", "server", "client"]) -> None:
    """Mark a unix socket as listening, or as one end of a connection. Nothing happens where that fails."""
    if role in _refused or endpoint.family != AF_UNIX:
        return
    try:
        os.setxattr(endpoint.fileno(), ATTRIBUTE, role.encode())
    except OSError as failure:
        if failure.errno in _NEVER:
            _refused.add(role)


def mark_file(path: str) -> None:
    """Mark the file of a listening socket as the entry point of a service, likewise."""
    # Here it depends on the file system too, so one refusal says nothing about the next file.
    with contextlib.suppress(OSError):
        os.setxattr(path, ATTRIBUTE, b"entrypoint", follow_symlinks=False)
