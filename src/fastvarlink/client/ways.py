"""The ways to a service, whichever form its address has."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from socket import socket

import fastvarlink.client
from fastvarlink import address as addresses
from fastvarlink.client.connect import connect

TYPE_CHECKING = False
if TYPE_CHECKING:
    # To import what starts programs costs more than to make a call. The package brings it once it is used.
    import fastvarlink.client.programs
    import fastvarlink.client.schemes

__all__ = ["SocketWay", "Way", "way_by_activation", "way_by_bridge", "way_to"]


class Way:
    """How connections to a service are made."""

    #: The socket to which connections are made; None if a program is started for each.
    address: addresses.Address | None = None
    #: The process that was started last, 0 if none was.
    pid = 0
    #: The folder that was made for the service, None if none was.
    folder: str | None = None

    def open(self, timeout: float | None = None) -> socket:
        """A connected, blocking socket, within so many seconds. OSError if nobody answers.

        How long a program takes to start is not limited.
        """
        raise NotImplementedError

    def end(self) -> None:
        """End the programs that were started, and wait for their end."""


class SocketWay(Way):
    """Connections to a socket that listens."""

    def __init__(self, address: addresses.Address) -> None:
        self.address: addresses.Address = address

    def __str__(self) -> str:
        return str(self.address)

    def open(self, timeout: float | None = None) -> socket:
        """Connect to the socket."""
        return connect(self.address, timeout)


def way_to(text: str) -> Way:
    """The way to an address of any form. AddressError if it cannot be understood."""
    scheme, colon, _ = text.partition(":")
    if text.startswith(("/", "./")):
        path = text.partition(";")[0]
        if _is_program(path):
            return fastvarlink.client.schemes.way_by_scheme(f"exec:{os.path.abspath(path)}")
    elif colon and scheme not in addresses.SCHEMES:
        return fastvarlink.client.schemes.way_by_scheme(text)
    return SocketWay(addresses.parse(text))


def _is_program(path: str) -> bool:
    try:
        return stat.S_ISREG(os.stat(path).st_mode) and os.access(path, os.X_OK)
    except (OSError, ValueError):
        return False


def way_by_bridge(argv: Sequence[str]) -> Way:
    """The way over the standard input and output of a command, which is run for each connection."""
    return fastvarlink.client.programs.Bridge(argv)


def way_by_activation(argv: Sequence[str]) -> SocketWay:
    """The way to a service that is started now, with a listening socket."""
    return fastvarlink.client.programs.Activation(argv)
