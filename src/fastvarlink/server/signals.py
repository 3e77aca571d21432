"""Signals that wake a loop, and do nothing else: which have come is told by a pipe."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator

__all__ = ["SignalPipe"]

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)


class SignalPipe:
    """Catches the signals from here on, on the main thread, until close()."""

    def __init__(self) -> None:
        self._before: dict[signal.Signals, signal._HANDLER] = {}
        self._mask: set[int | signal.Signals] = set()
        self._reader, self._writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._wakeup_before = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        for number in SIGNALS:
            self._before[number] = signal.signal(number, _nothing) or signal.SIG_DFL

    def fileno(self) -> int:
        """The descriptor that is readable when signals have come."""
        return self._reader

    def read(self) -> bytes:
        """The numbers of those that have come, in their order. BlockingIOError if there are none."""
        return os.read(self._reader, 4096)

    def close(self) -> None:
        """Have the signals do what they did before."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup_before)
        self._close_pipe()

    def _close_pipe(self) -> None:
        os.close(self._reader)
        os.close(self._writer)

    @contextlib.contextmanager
    def held_back(self) -> Iterator[None]:
        """Have the signals wait: a child that is forked meanwhile must not take them for its parent's."""
        self._mask = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)

    def leave_to_parent(self) -> None:
        """In a child that was forked while signals were held back: it ends by them, but for SIGHUP."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        # Not SIG_IGN, which programs that the child starts would inherit.
        signal.signal(signal.SIGHUP, _nothing)
        signal.signal(signal.SIGCHLD, self._before[signal.SIGCHLD])
        self._close_pipe()
        signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)


def _nothing(_number: int, _frame: object) -> None:
    """Let a signal wake whoever waits."""
