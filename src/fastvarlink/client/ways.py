"""The ways to a service, whichever form its address has."""

from __future__ import annotations

from collections.abc import Callable
from socket import socket

from fastvarlink import address as addresses
from fastvarlink.client.connect import connect

__all__ = ["Way", "way_to"]


class Way:
    """How connections to a service are made. end() ends the processes that were started for them."""

    def __init__(
        self, open_connection: Callable[[float | None], socket], end: Callable[[], None] | None = None
    ) -> None:
        self._open = open_connection
        self._end = end

    def open(self, timeout: float | None = None) -> socket:
        """A connected, blocking socket, within so many seconds. OSError if nobody answers."""
        return self._open(timeout)

    def end(self) -> None:
        """End what was started."""
        if self._end is not None:
            self._end()


def way_to(text: str) -> Way:
    """The way to an address. AddressError if it cannot be understood."""
    address = addresses.parse(text)
    return Way(lambda timeout: connect(address, timeout))
