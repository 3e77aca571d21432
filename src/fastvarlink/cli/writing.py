"""Texts that the command makes: to stdout, or to a file, whole or not at all."""

from __future__ import annotations

import contextlib
import os
import stat

from fastvarlink.cli.fault import UNREACHABLE, fail
from fastvarlink.cli.output import legible, on_terminal, show, show_bytes

__all__ = ["print_text", "write_file"]


def print_text(text: str) -> None:
    """Print a text that ends with a line feed: as UTF-8 and as it is, or so that a terminal can show it."""
    if on_terminal():
        show(legible(text.replace("\r\n", "\n")), end="")
    else:
        show_bytes(text.encode())


def write_file(path: str, text: str) -> None:
    """Make the text the content of a file, as UTF-8. Fails with a sentence, and leaves the file as it was.

    A file that is there keeps its mode and, if possible, its owner; a link goes on leading to it.
    """
    try:
        _write(os.path.realpath(path), text.encode())
    except OSError as error:
        fail(f"The file {path!r} cannot be written: {error.strerror}.", UNREACHABLE)


def _write(path: str, data: bytes) -> None:
    try:
        there = os.stat(path)
    except FileNotFoundError:
        there = None
    if there is not None and not stat.S_ISREG(there.st_mode):
        # A terminal, a pipe or /dev/null is written to; nothing may take its place.
        with open(path, "wb") as file:
            file.write(data)
        return
    beside = os.path.join(os.path.dirname(path), f".{os.urandom(8).hex()}.tmp")
    fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        with open(fd, "wb") as file:
            file.write(data)
            file.flush()
            if there is not None:
                with contextlib.suppress(PermissionError):
                    os.fchown(fd, there.st_uid, there.st_gid)
                os.fchmod(fd, stat.S_IMODE(there.st_mode))
            os.fsync(fd)
        os.replace(beside, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(beside)
        raise
