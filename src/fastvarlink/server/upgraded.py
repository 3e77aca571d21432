"""A connection after an upgrade, with what had been read of the new protocol already."""

from __future__ import annotations

import socket
from typing import Any

__all__ = ["UpgradedSocket"]


class UpgradedSocket(socket.socket):
    """A socket that first gives out bytes which were received earlier.

    Made when a peer has sent more than its call and all of it came in one read, which only happens where
    messages have to be read by more than a plain socket. The descriptor alone does not have those bytes.
    """

    def __init__(self, connection: socket.socket, early: bytes) -> None:
        super().__init__(fileno=connection.detach())
        self._early = early

    @property
    def early(self) -> bytes:
        """The bytes that have not been given out yet."""
        return self._early

    def _take(self, size: int, flags: int) -> bytes:
        taken = self._early[:size]
        if not flags & socket.MSG_PEEK:
            self._early = self._early[size:]
        return taken

    def recv(self, bufsize: int, flags: int = 0) -> bytes:
        return self._take(bufsize, flags) if self._early and bufsize else super().recv(bufsize, flags)

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
        if not self._early:
            return super().recv_into(buffer, nbytes, flags)
        view = memoryview(buffer).cast("B")
        taken = self._take(nbytes or len(view), flags)[: len(view)]
        view[: len(taken)] = taken
        return len(taken)

    def recvfrom(self, bufsize: int, flags: int = 0) -> tuple[bytes, Any]:
        if self._early and bufsize:
            return self._take(bufsize, flags), None
        return super().recvfrom(bufsize, flags)

    def recvmsg(self, bufsize: int, ancbufsize: int = 0, flags: int = 0) -> Any:
        if self._early and bufsize:
            return self._take(bufsize, flags), [], 0, None
        return super().recvmsg(bufsize, ancbufsize, flags)
