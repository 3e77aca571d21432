"""Definitions as they are shown: as they came, or legible and in colours."""

from __future__ import annotations

import re

from fastvarlink.cli.output import coloured, legible, on_terminal, show

__all__ = ["show_definition"]

_RESET = "\x1b[0m"
_COMMENT, _KEYWORD, _NAME, _FIELD, _TYPE, _SIGN = (
    "\x1b[90m",
    "\x1b[1;35m",
    "\x1b[1m",
    "\x1b[34m",
    "\x1b[36m",
    "\x1b[33m",
)
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
    if on_terminal():
        text = legible(text.replace("\r\n", "\n"))
        if coloured():
            text = _TOKEN.sub(_paint, text)
    show(text, end="" if text.endswith("\n") else "\n")


def _paint(token: re.Match[str]) -> str:
    if token["keyword"]:
        return f"{_KEYWORD}{token['keyword']}{_RESET}{token['blank']}{_NAME}{token['name']}{_RESET}"
    colours = {"comment": _COMMENT, "field": _FIELD, "sign": _SIGN, "type": _TYPE}
    return f"{colours[token.lastgroup or 'type']}{token.group()}{_RESET}"
