"""One end of a socket, spoken to in bytes: what goes out whole or byte by byte, what comes in."""

from __future__ import annotations

import fcntl
import json
import socket
import struct
import termios
import time
from typing import Any, Literal, Self

Pieces = Literal["whole", "bytes"]

#: Long enough for a loaded machine; reaching it means that something hangs, and fails the test.
PATIENCE = 10.0

_LOCKSTEP_LIMIT = 8192
_LOCKSTEP_PATIENCE = 0.02


def call(method: str, parameters: Any = None, **members: Any) -> bytes:
    """The frame of a call, NUL included. Parameters of None are left out."""
    message: dict[str, Any] = {"method": method}
    if parameters is not None:
        message["parameters"] = parameters
    return frame(message | members)


def frame(message: Any) -> bytes:
    """A message as one frame, NUL included."""
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode() + b"\0"


class PeerEndedError(AssertionError):
    """The peer closed the connection where a frame was awaited."""

    def __init__(self, fragment: bytes) -> None:
        super().__init__(f"Closed while a frame was awaited, after {fragment!r}.")
        self.fragment = fragment


class RawStream:
    """A connected stream socket. Every wait on it ends after PATIENCE with a TimeoutError."""

    def __init__(self, connection: socket.socket, pieces: Pieces) -> None:
        connection.settimeout(PATIENCE)
        self.socket = connection
        self.pieces = pieces
        self._received = b""

    @classmethod
    def connect(cls, address: str, pieces: Pieces = "whole") -> Self:
        """Connect to ``unix:/path`` or ``tcp:host:port``."""
        kind, _, place = address.partition(":")
        if kind == "unix":
            connection = socket.socket(socket.AF_UNIX)
            connection.settimeout(PATIENCE)
            try:
                connection.connect(place)
            except OSError:
                connection.close()
                raise
        else:
            host, _, port = place.rpartition(":")
            connection = socket.create_connection((host, int(port)), timeout=PATIENCE)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return cls(connection, pieces)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.socket.close()

    def end_writing(self) -> None:
        """Half-close: the peer reads end of file, and can still write."""
        self.socket.shutdown(socket.SHUT_WR)

    def send(self, data: bytes) -> None:
        """Write all of data, in the pieces this stream was made for.

        A peer that closes meanwhile is no fault here: what it did shows when the test reads.
        """
        try:
            if self.pieces == "whole":
                self.socket.sendall(data)
            else:
                self._send_bytes(data)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def send_in(self, size: int, data: bytes) -> None:
        """Write all of data in pieces of the given size, without waiting in between."""
        try:
            for start in range(0, len(data), size):
                self.socket.sendall(data[start : start + size])
        except (BrokenPipeError, ConnectionResetError):
            pass

    def settle(self) -> None:
        """Give the peer the chance to take what was written before more follows."""
        self._taken()

    def _send_bytes(self, data: bytes) -> None:
        # Waiting until the peer has taken each byte is what makes it see them one at a time. A peer
        # may rightly leave bytes in the kernel while it is busy, so the wait gives up and goes on.
        lockstep = len(data) <= _LOCKSTEP_LIMIT
        for value in data:
            self.socket.sendall(bytes([value]))
            lockstep = lockstep and self._taken()

    def _taken(self) -> bool:
        until = time.monotonic() + _LOCKSTEP_PATIENCE
        waiting = bytearray(4)
        while True:
            fcntl.ioctl(self.socket, termios.TIOCOUTQ, waiting)
            if struct.unpack("i", waiting)[0] == 0:
                return True
            if time.monotonic() > until:
                return False
            time.sleep(0)  # gives the interpreter to the threads of the server

    def flood(self, data: bytes, most: int) -> int:
        """Write data again and again until the socket takes no more; the number of bytes written.

        Fails when ``most`` bytes went out, for then the peer reads without end.
        """
        size = len(data) if self.pieces == "whole" else 1
        written = 0
        # The last piece is waited for, since a peer that is still reading frees the socket again.
        self.socket.settimeout(1.0)
        try:
            while written < most:
                start = written % len(data)
                written += self.socket.send(data[start : start + size])
        except TimeoutError:
            return written
        finally:
            self.socket.settimeout(PATIENCE)
        raise AssertionError(f"The peer took {written} bytes and did not stop reading.")

    def read_frame(self) -> bytes:
        """The next frame without its NUL; PeerEndedError when the peer closes first."""
        parts = [self._received]
        while b"\0" not in parts[-1]:
            data = self.socket.recv(1 << 16)
            if not data:
                raise PeerEndedError(b"".join(parts))
            parts.append(data)
        found, _, self._received = b"".join(parts).partition(b"\0")
        return found

    def read_reply(self) -> dict[str, Any]:
        """The next frame as JSON: one object with nothing around it."""
        found = self.read_frame()
        assert found[:1] == b"{", found
        assert found[-1:] == b"}", found
        reply = json.loads(found.decode("utf-8", "strict"))
        assert isinstance(reply, dict)
        return reply

    def read_replies(self, count: int) -> list[dict[str, Any]]:
        return [self.read_reply() for _ in range(count)]

    def expect_end(self) -> None:
        """The peer closes the connection, and sends nothing more before that."""
        try:
            data = self._received or self.socket.recv(1 << 16)
        except ConnectionResetError:
            return
        assert data == b"", f"Expected the connection to be closed, received {data!r}."
