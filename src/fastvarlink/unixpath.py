"""Paths of unix sockets, of any length.

An address in the kernel has room for 107 bytes of a path. A longer one is reached by a descriptor of what it
leads to, which needs /proc.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from socket import socket

__all__ = ["bind", "connect"]

LONGEST = 107


def connect(endpoint: socket, path: str) -> None:
    """As endpoint.connect(path), where ``path`` may also be the NUL and the name of an abstract socket."""
    if _fits(path):
        endpoint.connect(path)
        return
    with _opened(path, 0) as short:
        endpoint.connect(short)


def bind(endpoint: socket, path: str) -> None:
    """As endpoint.bind(path). FileExistsError or EADDRINUSE if there is something at the path."""
    if _fits(path):
        endpoint.bind(path)
        return
    directory, name = os.path.split(path)
    with _opened(directory or ".", os.O_DIRECTORY) as short:
        if _fits(f"{short}/{name}"):
            endpoint.bind(f"{short}/{name}")
            return
        made = f"{short}/.{os.urandom(8).hex()}"
        endpoint.bind(made)
        try:
            # Unlike rename() it replaces nothing.
            os.link(made, f"{short}/{name}", follow_symlinks=False)
        finally:
            os.unlink(made)


def _fits(path: str) -> bool:
    return len(os.fsencode(path)) <= LONGEST


@contextmanager
def _opened(path: str, flags: int) -> Iterator[str]:
    """A short path that leads to what is at ``path``."""
    fd = os.open(path, os.O_PATH | os.O_CLOEXEC | flags)
    try:
        yield f"/proc/self/fd/{fd}"
    finally:
        os.close(fd)
