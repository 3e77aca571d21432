"""Lines of a shell: what is to be done, and with what."""

from __future__ import annotations

import shlex
from typing import NamedTuple

from fastvarlink.cli.fault import REJECTED, fail

__all__ = ["FLAGS", "Line", "is_open", "read_line", "words_of"]

#: What may stand before a method: how it is called.
FLAGS = ("more", "oneway")


class Line(NamedTuple):
    """A line: an optional ``more`` or ``oneway``, a command or a method, and the text behind it."""

    flag: str | None
    verb: str
    rest: str


def read_line(text: str) -> Line:
    """Tell a line apart. An empty one, and a comment, have no verb."""
    flag = None
    verb, rest = _first(text)
    if verb in FLAGS:
        flag = verb
        verb, rest = _first(rest)
    return Line(flag, "" if verb.startswith("#") else verb, rest)


def _first(text: str) -> tuple[str, str]:
    first, *rest = text.split(maxsplit=1) or [""]
    return first, rest[0].rstrip() if rest else ""


def words_of(rest: str) -> list[str]:
    """Words, with quotation marks and backslashes as a shell has them. Fails with a sentence."""
    try:
        return shlex.split(rest)
    except ValueError as error:
        fail(
            f"The line cannot be split into words: {error}. Put what has quotes or blanks into '...'.",
            REJECTED,
        )


def is_open(text: str) -> bool:
    """Whether more belongs to a line: its JSON has brackets that are open. An empty line ends it."""
    rest = read_line(text).rest
    if not rest.startswith("{") or rest.endswith("\n") or text.endswith("\n"):
        return False
    depth = 0
    quoted = False
    letters = iter(rest)
    for letter in letters:
        if quoted:
            if letter == "\\":
                next(letters, "")
            quoted = letter != '"'
        elif letter == '"':
            quoted = True
        elif letter in "{[":
            depth += 1
        elif letter in "}]":
            depth -= 1
    return depth > 0 or quoted
