"""Python source: literals, docstrings, comments, and lines that break where a formatter would break them."""

from __future__ import annotations

import inspect
from collections.abc import Iterable

__all__ = ["WIDTH", "call", "comment", "described", "docstring", "literal", "long_literal", "wrapped"]

WIDTH = 88
_STEP = "    "


def literal(text: str) -> str:
    """A string literal, in double quotes unless single ones save escapes."""
    quote = "'" if text.count('"') > text.count("'") else '"'
    return quote + _escaped(text, quote + "\\") + quote


def _escaped(text: str, special: str, kept: str = "") -> str:
    """Text for a literal: special characters escaped, and what cannot be printed and is not to be kept."""
    return "".join(
        f"\\{c}" if c in special else c if c.isprintable() or c in kept else repr(c)[1:-1] for c in text
    )


def long_literal(text: str) -> str:
    """A literal of several lines: as it reads, where that is exact."""
    exact = all(c.isprintable() or c in "\n\t" for c in text)
    if exact and "\n" in text and "\\" not in text and '"""' not in text and not text.endswith('"'):
        return f'"""\\\n{text}"""'
    # Formatters join what fits on one line, with its indentation, parentheses and comma.
    whole = literal(text)
    if len(f"{_STEP}({whole}),") <= WIDTH or len(text.splitlines()) == 1:
        return whole
    lines = "".join(f"{_STEP}{literal(line)}\n" for line in text.splitlines(keepends=True))
    return f"(\n{lines})"


def described(doc: str, otherwise: str) -> str:
    """Documentation, or what stands in its place if it has no more than blanks."""
    return doc if doc.strip() else otherwise


def docstring(text: str, indent: str) -> list[str]:
    """The lines of a docstring, none for no text. It is indented as it is shown, by inspect.cleandoc()."""
    shown = _escaped(inspect.cleandoc(text.strip()), "\\", kept="\n")
    # Quotes at the ends may not touch those of the literal.
    if shown.endswith('"') and "\n" not in shown:
        shown = shown[:-1] + '\\"'
    opening = '"""' + " " * shown.startswith('"')
    first, *rest = [line.rstrip() for line in shown.replace('"""', '\\"\\"\\"').split("\n")]
    if not rest:
        return [f'{indent}{opening}{first}"""'] if first else []
    lines = [f"{indent}{line}" if line else "" for line in rest]
    return [f"{indent}{opening}{first}", *lines, f'{indent}"""']


def comment(text: str, indent: str) -> list[str]:
    """The lines of a comment, none for no text."""
    shown = _escaped(inspect.cleandoc(text.strip()), "", kept="\n")
    return [f"{indent}# {line}".rstrip() for line in shown.split("\n") if shown]


def call(before: str, arguments: Iterable[str], behind: str, indent: str) -> list[str]:
    """``before(arguments)behind`` on one line if it fits, with a line for each argument if not."""
    parts = list(arguments)
    line = f"{indent}{before}({', '.join(parts)}){behind}"
    if len(line) <= WIDTH or not parts:
        return [line]
    inner = [line for part in parts for line in wrapped(part, indent + _STEP, ",")]
    return [f"{indent}{before}(", *inner, f"{indent}){behind}"]


def wrapped(code: str, indent: str, behind: str = "") -> list[str]:
    """The lines of code, which is broken at its last brackets if it is too long.

    It must have no strings with brackets or commas.
    """
    line = f"{indent}{code}{behind}"
    end = max(code.rfind(")"), code.rfind("]"))
    if len(line) <= WIDTH or end < 0:
        return [line]
    parts: list[str] = []
    depth, stop, start = 1, end, end
    while depth:
        start -= 1
        depth += (code[start] in ")]") - (code[start] in "([")
        if not depth or (depth == 1 and code[start] == ","):
            parts.insert(0, code[start + 1 : stop].strip())
            stop = start
    # A comma behind a single part of [] would make another type of it.
    comma = "," if code[end] == ")" or len(parts) > 1 else ""
    inner = [line for part in parts if part for line in wrapped(part, indent + _STEP, comma)]
    return [f"{indent}{code[: start + 1]}", *inner, f"{indent}{code[end:]}{behind}"]
