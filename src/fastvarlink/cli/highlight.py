"""Definitions as they are shown: as they came, or legible and in colours."""

from __future__ import annotations

import re

from fastvarlink.cli.output import Colour, coloured, legible, painted, show
from fastvarlink.cli.writing import print_text

__all__ = ["show_definition"]

_COLOURS: dict[str, Colour] = {
    "comment": "grey",
    "keyword": "magenta",
    "name": "bold",
    "field": "blue",
    "sign": "yellow",
    "type": "cyan",
}
# The definition may be faulty, so this goes by what the words look like.
_TOKEN = re.compile(
    r"(?P<comment>\#[^\n]*)"
    r"|\b(?P<keyword>interface|type|method|error)(?P<blank>\s+)(?P<name>[A-Za-z][\w.-]*)"
    r"|\b(?P<field>[A-Za-z]\w*)(?=\s*:)"
    r"|(?P<sign>\[string\]|\[\]|\?|->)"
    r"|\b(?P<type>bool|int|float|string|object|any|[A-Z]\w*)\b"
)


def show_definition(text: str) -> None:
    """Print a definition: byte by byte what the service has, but for what a terminal could not show."""
    if not text.endswith("\n"):
        text += "\n"
    if coloured():
        show(_TOKEN.sub(_paint, legible(text.replace("\r\n", "\n"))), end="")
    else:
        print_text(text)


def _paint(token: re.Match[str]) -> str:
    if token["keyword"]:
        keyword, name = (painted(token[part], _COLOURS[part]) for part in ("keyword", "name"))
        return f"{keyword}{token['blank']}{name}"
    return painted(token.group(), _COLOURS[token.lastgroup or "type"])
