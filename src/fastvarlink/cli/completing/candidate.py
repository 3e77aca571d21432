"""One of the words that what was typed may become."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Candidate", "Files", "summary"]

_WIDTH = 72


class Candidate(NamedTuple):
    """A whole word, as it would stand there. More of it is to follow unless it is ``complete``."""

    word: str
    description: str = ""
    complete: bool = True


class Files(NamedTuple):
    """The word becomes the path of a file, or of a folder only, behind so many characters of it."""

    behind: int = 0
    folders: bool = False


def summary(text: str) -> str:
    """The first sentence or line of a documentation, as a description of a candidate."""
    line = text.strip().partition("\n")[0].partition(". ")[0].rstrip(".")
    return line if len(line) <= _WIDTH else f"{line[: _WIDTH - 3]}..."
