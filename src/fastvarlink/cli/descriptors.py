"""File descriptors for a call: those the command was given, and files that it opens."""

from __future__ import annotations

import os
from collections.abc import Sequence

from fastvarlink._core.control import Descriptors
from fastvarlink.cli.fault import REJECTED, fail

__all__ = ["carried"]


def carried(words: Sequence[str]) -> Descriptors:
    """The descriptors that the words name, by number or by the path of a file, in that order."""
    descriptors = Descriptors()
    for word in words:
        descriptors.give(_duplicate(word) if word.isascii() and word.isdigit() else _open(word))
    return descriptors


def _duplicate(word: str) -> int:
    try:
        return os.dup(int(word))
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or "there is no such number"
        fail(
            f"The file descriptor {word} cannot be sent: {reason}. Is it open in the shell that ran this?",
            REJECTED,
        )


def _open(path: str) -> int:
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        fail(f"The file {path!r} cannot be sent: {error.strerror}.", REJECTED)
