"""What the command prints, where, and in which form.

Output to a pipe is the same everywhere and for machines to read; indentation and colour are for terminals.
"""

from __future__ import annotations

import json
import os
import re
import sys
from argparse import ArgumentParser
from typing import Any, Literal

from fastvarlink.cli.fault import LEFT, UNREACHABLE, end_quietly, fail

__all__ = [
    "Colour",
    "Style",
    "chosen_style",
    "coloured",
    "columns",
    "json_option",
    "json_text",
    "legible",
    "on_terminal",
    "painted",
    "show",
    "show_bytes",
]

Style = Literal["pretty", "short"]
Colour = Literal["blue", "bold", "cyan", "green", "grey", "magenta", "red", "yellow"]

_RESET = "\x1b[0m"
_PAINTS: dict[Colour, str] = {
    "bold": "\x1b[1m",
    "red": "\x1b[31m",
    "green": "\x1b[32m",
    "yellow": "\x1b[33m",
    "blue": "\x1b[34m",
    "magenta": "\x1b[35m",
    "cyan": "\x1b[36m",
    "grey": "\x1b[90m",
}
_TOKEN = re.compile(
    r'(?P<key>"(?:[^"\\]|\\.)*"(?=:))|(?P<string>"(?:[^"\\]|\\.)*")|(?P<number>-?\d[\d.eE+-]*)|'
    r"(?P<word>true|false|null)"
)
_COLOURS: dict[str, Colour] = {"key": "blue", "string": "green", "number": "cyan", "word": "magenta"}


def on_terminal() -> bool:
    """Whether somebody reads along."""
    return sys.stdout is not None and sys.stdout.isatty()


def coloured() -> bool:
    """Whether output may have colours: on a terminal that has some, unless NO_COLOR is set."""
    return on_terminal() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def columns() -> int:
    """How wide the terminal is. 80 where there is none."""
    try:
        return int(os.environ.get("COLUMNS", "0")) or os.get_terminal_size().columns or 80
    except (ValueError, OSError):
        return 80


def painted(text: str, colour: Colour) -> str:
    """The text in a colour, where that can be seen."""
    return f"{_PAINTS[colour]}{text}{_RESET}" if coloured() else text


def json_option(parser: ArgumentParser) -> None:
    """Add the options that ask for JSON: None stands for what suits the verb."""
    parser.add_argument("--json", choices=("pretty", "short", "off"), help="print JSON, in this form")
    parser.add_argument(
        "-j",
        dest="json",
        action="store_const",
        const="auto",
        help="print JSON: pretty on a terminal, else short",
    )


def chosen_style(asked: str | None) -> Style:
    """The form of JSON that was asked for, or that fits where it goes."""
    if asked == "short":
        return "short"
    return "pretty" if asked == "pretty" or on_terminal() else "short"


def json_text(value: Any, style: Style) -> str:
    """A value as JSON: on one line, or indented and, where that can be seen, in colours."""
    if style == "short":
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    text = json.dumps(value, ensure_ascii=False, indent=2)
    if on_terminal():
        text = legible(text)
    return _TOKEN.sub(_paint, text) if coloured() else text


def _paint(token: re.Match[str]) -> str:
    return painted(token.group(), _COLOURS[token.lastgroup or "word"])


def legible(text: str) -> str:
    """The text without anything that a terminal would take for a command, all of it in visible characters."""
    return "".join(
        letter
        if (letter >= " " and not "\x7f" <= letter <= "\x9f") or letter in "\n\t"
        else f"\\u{ord(letter):04x}"
        for letter in text
    )


def show(text: str, end: str = "\n") -> None:
    """Print at once, so that a stream is seen as it arrives. Ends quietly when nobody reads on."""
    show_bytes((text + end).encode(sys.stdout.encoding if sys.stdout else "utf-8", "backslashreplace"))


def show_bytes(data: bytes) -> None:
    """Likewise for what is encoded already."""
    if sys.stdout is None:
        fail("The output cannot be written: stdout is closed.", UNREACHABLE)
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        end_quietly(LEFT)
    except OSError as error:
        fail(f"The output cannot be written: {error.strerror}.", UNREACHABLE)
