"""What this process holds at the moment: descriptors, threads, memory."""

from __future__ import annotations

import os
import threading


def descriptors() -> int:
    """The number of open descriptors."""
    return len(os.listdir("/proc/self/fd"))


def threads() -> set[str]:
    """The threads that Python knows of, by name and identity."""
    return {f"{thread.name} {thread.ident}" for thread in threading.enumerate()}


def tasks() -> int:
    """The number of threads that the kernel knows of."""
    return len(os.listdir("/proc/self/task"))


def resident() -> int:
    """Bytes of memory in use."""
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
