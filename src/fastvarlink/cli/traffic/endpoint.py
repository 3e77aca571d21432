"""Where the command listens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from socket import socket

from fastvarlink.cli.fault import MISUSED, UNREACHABLE, fail
from fastvarlink.error import AddressError
from fastvarlink.server.listening import open_endpoint

__all__ = ["listening"]

BACKLOG = 128


@contextmanager
def listening(address: str) -> Iterator[tuple[socket, str]]:
    """A socket that listens, and its address as it came to be; its file is removed after the block.

    Fails with a sentence.
    """
    try:
        endpoint, file = open_endpoint(address, BACKLOG)
    except AddressError as error:
        fail(str(error), MISUSED)
    except OSError as error:
        reason = (error.strerror or str(error)).rstrip(".")
        fail(f"Nobody can listen at {address}: {reason}.", UNREACHABLE)
    try:
        yield endpoint, _bound(address, endpoint.getsockname())
    finally:
        if file is not None:
            file.remove()
        endpoint.close()


def _bound(address: str, name: object) -> str:
    """The address, with the port that the system has chosen where it was to choose one."""
    if not isinstance(name, tuple) or not address.partition(";")[0].endswith(":0"):
        return address
    return f"tcp:[{name[0]}]:{name[1]}" if ":" in name[0] else f"tcp:{name[0]}:{name[1]}"
