"""Who is at the other end of a connection."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
from typing import Any

__all__ = ["Peer"]

_CREDENTIALS = struct.Struct("iII")
# Not yet in the module socket.
_SO_PEERGROUPS = 59
_SO_PEERPIDFD = 77
# Bytes that Python's getsockopt() reads at most: 256 groups.
_MOST_GROUPS = 1024


class Peer:
    """The process at the other end of a unix socket, as it was when it connected; on TCP its host.

    ``uid``, ``gid``, ``pid``: of the process that connected, None on TCP. ``address``: what the socket calls
    its peer, ``("127.0.0.1", 4711)`` on TCP, mostly empty on unix sockets.
    """

    __slots__ = ("_groups", "_pidfd", "_socket", "address", "gid", "pid", "uid")

    def __init__(self, connection: Any) -> None:
        self._socket = connection
        self._groups: tuple[int, ...] | None = None
        self._pidfd: int | None = None
        self.uid: int | None = None
        self.gid: int | None = None
        self.pid: int | None = None
        self.address: Any = None
        if getattr(connection, "family", None) == socket.AF_UNIX:
            with contextlib.suppress(OSError):
                data = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
                pid, self.uid, self.gid = _CREDENTIALS.unpack(data)
                # 0 is a process that this one cannot see, of another container.
                self.pid = pid or None
        if connection is not None:
            with contextlib.suppress(OSError, AttributeError):
                self.address = connection.getpeername()

    @property
    def groups(self) -> tuple[int, ...]:
        """The supplementary groups of the process; empty where the system does not tell, or has over 256."""
        if self._groups is None:
            self._groups = ()
            if self.uid is not None:
                with contextlib.suppress(OSError):
                    data = self._socket.getsockopt(socket.SOL_SOCKET, _SO_PEERGROUPS, _MOST_GROUPS)
                    self._groups = struct.unpack(f"{len(data) // 4}I", data)
        return self._groups

    @property
    def pidfd(self) -> int | None:
        """A descriptor of the process, which cannot come to mean another one; None where the system has none.

        It is closed with the connection.
        """
        if self._pidfd is None and self.uid is not None:
            with contextlib.suppress(OSError):
                self._pidfd = self._socket.getsockopt(socket.SOL_SOCKET, _SO_PEERPIDFD)
        return self._pidfd

    @property
    def key(self) -> Any:
        """What connections of one peer have in common: the user, or the host."""
        if self.uid is not None:
            return self.uid
        return self.address[0] if isinstance(self.address, tuple) else self.address

    def close(self) -> None:
        """Give the descriptor back."""
        if self._pidfd is not None:
            os.close(self._pidfd)
            self._pidfd = None

    def __repr__(self) -> str:
        if self.uid is None:
            return f"<Peer at {self.address!r}>"
        return f"<Peer uid={self.uid} gid={self.gid} pid={self.pid}>"
