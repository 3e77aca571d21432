"""The one place where a test waits by looking again: for what the system reports by no event."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


def eventually(predicate: Callable[[], object], what: str, seconds: float = 10.0) -> None:
    """Return once predicate() is true; fail with ``what`` when it is not so after the seconds."""
    until = time.monotonic() + seconds
    pause = threading.Event()
    while not predicate():
        if time.monotonic() > until:
            raise AssertionError(f"After {seconds} seconds it is still not so that {what}.")
        pause.wait(0.005)
