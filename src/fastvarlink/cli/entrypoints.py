"""Unix sockets of this machine that listen, and those that are marked as entry points of services."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Iterator

from fastvarlink.cli.fault import UNREACHABLE, fail
from fastvarlink.marks import ATTRIBUTE

__all__ = ["entrypoints", "have_attributes", "listening_paths", "may_connect"]

# As /proc/net/unix writes them: a socket that listens, and one that is a stream.
_LISTENS = 0x10000
_STREAM = 1


def have_attributes() -> bool:
    """Whether this kernel keeps extended attributes of sockets."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            os.setxattr(probe.fileno(), ATTRIBUTE, b"client")
        except OSError:
            return False
    return True


def entrypoints() -> list[str]:
    """The paths of all listening sockets that are marked as entry points."""
    return sorted(path for path in set(listening_paths()) if _is_marked(path))


def listening_paths() -> Iterator[str]:
    """The absolute paths of the stream sockets that listen, as they were bound."""
    try:
        with open("/proc/net/unix", "rb") as table:
            lines = os.fsdecode(table.read()).split("\n")[1:]
    except OSError as error:
        fail(f"The sockets of this machine cannot be listed: {error.strerror}.", UNREACHABLE)
    for line in lines:
        # Number, references, protocol, flags, type, state, inode, path. Some have no path.
        words = line.split(None, 7)
        if len(words) == 8 and words[7].startswith("/"):
            flags, kind = int(words[3], 16), int(words[4], 16)
            if flags & _LISTENS and kind == _STREAM:
                yield words[7]


def may_connect(path: str) -> bool:
    """Whether the permissions of a socket let this user connect."""
    return os.access(path, os.W_OK, effective_ids=True)


def _is_marked(path: str) -> bool:
    try:
        return stat.S_ISSOCK(os.stat(path).st_mode) and os.getxattr(path, ATTRIBUTE) == b"entrypoint"
    except OSError:
        # The file has gone, cannot be seen by this user, or has no mark.
        return False
