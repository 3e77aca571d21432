"""Definitions in colours."""

from __future__ import annotations

import re

from fastvarlink.cli.output import Colour, coloured, legible, painted, show
from fastvarlink.cli.writing import print_text

__all__ = ["show_definition"]

# In the canonical form keywords stand at the beginnings of lines, and nowhere else.
_TOKEN = re.compile(
    r"(?P<comment>#.*)"
    r"|(?P<keyword>^(?:interface|type|method|error)\b)"
    r"|(?P<field>[A-Za-z]\w*(?=:))"
    r"|(?P<primitive>(?<=[ \])?])(?:bool|int|float|string|object|any)\b)"
    r"|(?P<named>\b[A-Z]\w*)",
    re.MULTILINE,
)
_PAINTS: dict[str, Colour] = {
    "comment": "grey",
    "keyword": "magenta",
    "field": "blue",
    "primitive": "cyan",
    "named": "green",
}


def show_definition(text: str) -> None:
    """Print a definition in its canonical form, in colours where they can be seen."""
    if coloured():
        show(_TOKEN.sub(_paint, legible(text)), end="")
    else:
        print_text(text)


def _paint(token: re.Match[str]) -> str:
    return painted(token.group(), _PAINTS[token.lastgroup or "named"])
