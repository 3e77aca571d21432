"""The command line as bash hands it over, and words as bash takes them.

bash replaces only what stands behind the last character at which it breaks words, such as a colon.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from fastvarlink.cli.completing.candidate import Candidate

__all__ = ["BashLine", "read_line", "replies"]

_SPECIAL = re.compile(r"([\s\\'\"`$&|;<>()*?\[\]{}!#~])")


class BashLine(NamedTuple):
    """The words of a line, unquoted; ``word`` is the last one, which is being typed."""

    words: list[str]
    word: str
    #: How many characters of the word bash leaves as they are.
    kept: int
    #: The quotation mark that is open.
    quote: str


def read_line(line: str, breaks: str) -> BashLine:
    """Tell a line up to the cursor apart. ``breaks`` are the characters at which bash breaks words."""
    words: list[str] = []
    word = ""
    begun = False
    kept = 0
    quote = ""
    letters = iter(line)
    for letter in letters:
        if quote:
            if letter == quote:
                quote = ""
            elif letter == "\\" and quote == '"':
                word += next(letters, "")
            else:
                word += letter
        elif letter.isspace():
            if begun:
                words.append(word)
            word, begun, kept = "", False, 0
            continue
        elif letter in "'\"":
            quote = letter
            kept = len(word)
        elif letter == "\\":
            word += next(letters, "")
        else:
            word += letter
            if letter in breaks:
                kept = len(word)
        begun = True
    return BashLine(words, word, kept, quote)


def replies(line: BashLine, candidates: Sequence[Candidate]) -> list[str]:
    """What bash is to put in the place of the word, with the blank behind it where it is complete."""
    return [
        _quoted(candidate.word[line.kept :], line.quote)
        + (" " if candidate.complete and not line.quote else "")
        for candidate in candidates
        if candidate.word.startswith(line.word)
    ]


def _quoted(text: str, quote: str) -> str:
    return text if quote else _SPECIAL.sub(r"\\\1", text)
