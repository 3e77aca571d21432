"""Copying bytes between files and sockets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

CHUNK = 65536


def reader_of(file: Any) -> Callable[[], bytes]:
    """A function that returns what has arrived, b"" at the end, for a socket or a file."""
    if hasattr(file, "recv_bytes"):

        def receive() -> bytes:
            try:
                received: bytes = file.recv_bytes()
            except EOFError:
                return b""
            return received

        return receive
    if hasattr(file, "recv"):
        return lambda: file.recv(CHUNK)
    if hasattr(file, "read1"):
        # read() of a buffered file would wait until all of CHUNK is there.
        return lambda: file.read1(CHUNK)
    if hasattr(file, "readinto") and not hasattr(file, "peek"):
        return lambda: file.read(CHUNK) or b""
    if hasattr(file, "read"):
        return lambda: file.read(1)
    raise TypeError(f"A {type(file).__name__} cannot be read from: it has neither recv nor read.")


def writer_of(file: Any) -> Callable[[bytes], object]:
    """A function that sends bytes, all of them and at once, for a socket or a file."""
    if hasattr(file, "send_bytes"):
        send_bytes: Callable[[bytes], object] = file.send_bytes
        return send_bytes
    if hasattr(file, "sendall"):
        sendall: Callable[[bytes], object] = file.sendall
        return sendall
    if hasattr(file, "write"):

        def write(data: bytes) -> None:
            file.write(data)
            if hasattr(file, "flush"):
                file.flush()

        return write
    raise TypeError(f"A {type(file).__name__} cannot be written to: it has neither sendall nor write.")


def pipe_bridge(reader: Any, writer: Any) -> None:
    """Copy from a file or socket to another until either ends, then close both."""
    read, write = reader_of(reader), writer_of(writer)
    try:
        while data := read():
            write(data)
    except (OSError, ValueError):
        # Closed by the other side, or by another thread.
        pass
    finally:
        reader.close()
        writer.close()
