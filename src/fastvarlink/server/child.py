"""A worker as a process: how its supervisor begins it, knows of its end, and ends it."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable
from socket import AF_UNIX, SOCK_SEQPACKET, socket, socketpair

from fastvarlink.server.signals import SignalPipe

__all__ = ["Child"]

# The status of a child that has not come to say what is wrong.
EX_SOFTWARE = 70


class Child:
    """One worker, at its place among the others of its generation. Times are monotonic, in seconds."""

    def __init__(self, place: int, generation: int) -> None:
        self.place = place
        self.generation = generation
        self.pid = 0
        #: The supervisor's end of what they talk over.
        self.channel, self._other_end = socketpair(AF_UNIX, SOCK_SEQPACKET)
        self.began = self.heard = time.monotonic()
        #: It waits to be told to take connections; it has been told.
        self.ready = False
        self.serving = False
        #: It has said that it has no connections.
        self.idle = False
        #: Its end is no accident.
        self.dismissed = False
        #: When it is killed if it has not ended.
        self.end_by: float | None = None
        #: What it said was wrong.
        self.failure = ""

    def fork(self, signals: SignalPipe, run: Callable[[socket], int]) -> None:
        """Begin the process: it exits with what run(), called with its end of the channel, returns."""
        # What waits there would be written by the child once more.
        _flush()
        with signals.held_back():
            try:
                self.pid = os.fork()
                if self.pid == 0:
                    # It goes no way back.
                    status = EX_SOFTWARE
                    try:
                        signals.leave_to_parent()
                        status = run(self._other_end)
                        _flush()
                    finally:
                        os._exit(status)
            finally:
                self._other_end.close()

    def kill(self) -> None:
        """End it at once."""
        # Until it has been waited for the number is its own. 0 would be many.
        if self.pid > 0:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def ended(self) -> str | None:
        """How it has ended, as words that follow its name; None if it has not."""
        try:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
        except ChildProcessError:
            return "has ended, and somebody else knows how,"
        if pid == 0:
            return None
        code = os.waitstatus_to_exitcode(status)
        if code >= 0:
            return f"has ended with status {code}"
        try:
            return f"was ended by {signal.Signals(-code).name}"
        except ValueError:
            return f"was ended by signal {-code}"

    def wait(self) -> None:
        """Wait for its end."""
        if self.pid > 0:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(self.pid, 0)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
