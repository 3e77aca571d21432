"""What a service tells the manager that has started it: sd_notify, without its library."""

from __future__ import annotations

import logging
import os
import time
from socket import AF_UNIX, SOCK_DGRAM, socket

from fastvarlink import unixpath

__all__ = ["Notifier", "watchdog_interval"]

logger = logging.getLogger("fastvarlink.server")

# Seconds that a notification may wait for a manager that is busy.
PATIENCE = 5.0

# What stands for no limit where microseconds are told.
_INFINITE = 2**64 - 1


class Notifier:
    """Notifies the manager at the socket that NOTIFY_SOCKET names; does nothing where there is none.

    The variable is read once, here. A notification that cannot be delivered is logged at debug level.
    """

    def __init__(self) -> None:
        named = os.environ.get("NOTIFY_SOCKET", "")
        self._manager: str | None = None
        if named.startswith("/"):
            self._manager = named
        elif named.startswith("@"):
            self._manager = "\0" + named[1:]
        elif named:
            logger.debug("NOTIFY_SOCKET is %r, which is no unix socket: nobody is notified.", named)

    def ready(self) -> None:
        """The service can be called, for the first time or again after reloading()."""
        self._send("READY=1")

    def stopping(self) -> None:
        """The service is about to end."""
        self._send("STOPPING=1")

    def reloading(self) -> None:
        """The service reads its configuration anew; ready() tells when it has."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def status(self, text: str) -> None:
        """What the service is doing, in one line for people."""
        # A second line would be read as a notification of its own.
        self._send("STATUS=" + " ".join(text.splitlines()))

    def watchdog(self) -> None:
        """The service is alive: to be told every watchdog_interval() seconds."""
        self._send("WATCHDOG=1")

    def _send(self, lines: str) -> None:
        if self._manager is None:
            return
        try:
            with socket(AF_UNIX, SOCK_DGRAM) as endpoint:
                endpoint.settimeout(PATIENCE)
                unixpath.connect(endpoint, self._manager)
                endpoint.send(lines.encode("utf-8", "replace"))
        except (OSError, ValueError) as failure:
            logger.debug("The notification %r has not been delivered: %s", lines, failure)


def watchdog_interval() -> float | None:
    """Seconds between two signs of life, half of what the manager allows; None if it expects none.

    Goes by WATCHDOG_USEC and WATCHDOG_PID.
    """
    try:
        allowed = int(os.environ["WATCHDOG_USEC"])
        pid = int(os.environ.get("WATCHDOG_PID") or os.getpid())
    except (KeyError, ValueError):
        return None
    if pid != os.getpid() or not 0 < allowed < _INFINITE:
        return None
    return allowed / 2_000_000
