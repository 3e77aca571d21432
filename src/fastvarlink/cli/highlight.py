"""Definitions in colours."""

from __future__ import annotations

import re

from fastvarlink.cli.output import Colour, coloured, legible, painted, show
from fastvarlink.cli.writing import print_text
from fastvarlink.idl import tree
from fastvarlink.idl.printer import to_text

__all__ = ["show_definition"]

# What a canonical text has: keywords stand only at the beginnings of its lines.
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


def show_definition(interface: tree.Interface) -> None:
    """Print an interface in its canonical form, in colours where they can be seen."""
    text = to_text(interface)
    if coloured():
        show(_TOKEN.sub(_paint, legible(text)), end="")
    else:
        print_text(text)


def _paint(token: re.Match[str]) -> str:
    return painted(token.group(), _PAINTS[token.lastgroup or "named"])
