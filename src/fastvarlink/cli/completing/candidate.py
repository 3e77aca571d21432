"""One of the words that what was typed may become."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Candidate", "summary"]

_WIDTH = 72


class Candidate(NamedTuple):
    """A whole word, as it would stand there. More of it is to follow unless it is ``complete``."""

    word: str
    description: str = ""
    complete: bool = True


def summary(text: str) -> str:
    """The first sentence or line of a documentation, as a description of a candidate."""
    line = text.strip().partition("\n")[0].partition(". ")[0].rstrip(".")
    return line if len(line) <= _WIDTH else f"{line[: _WIDTH - 3]}..."
