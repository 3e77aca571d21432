"""The option busy_poll: for how long a thread that waits asks again and again before it sleeps."""

from __future__ import annotations

from typing import Any

__all__ = ["checked_busy_poll"]

_MOST = 1e9  # seconds, some thirty years


def checked_busy_poll(seconds: Any) -> float:
    """A program's busy_poll as seconds, 0.0 for None. TypeError or ValueError if it is neither."""
    if seconds is None:
        return 0.0
    if not isinstance(seconds, (int, float)) or isinstance(seconds, bool):
        raise TypeError(f"'busy_poll' is {seconds!r}: it must be a number of seconds, or None for none.")
    if not 0 <= seconds <= _MOST:
        raise ValueError(f"'busy_poll' is {seconds!r}: it must be 0 seconds or more, and {_MOST:g} at most.")
    return float(seconds)
