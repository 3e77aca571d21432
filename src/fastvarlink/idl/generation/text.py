"""Python source: literals, docstrings, and lines that break where a formatter would break them."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["WIDTH", "call", "docstring", "literal", "long_literal"]

WIDTH = 88


def literal(text: str) -> str:
    """A string literal, in double quotes unless single ones save escapes."""
    quote = "'" if '"' in text and "'" not in text else '"'
    return quote + "".join(_escaped(c, quote) for c in text) + quote


def _escaped(character: str, quote: str = "") -> str:
    if character in {quote, "\\"}:
        return "\\" + character
    if character == "\n":
        return "\\n"
    return character if character.isprintable() else repr(character)[1:-1]


def long_literal(text: str) -> str:
    """A literal of several lines: as it reads, where that is exact."""
    plain = all(c.isprintable() or c == "\n" for c in text)
    if plain and "\\" not in text and '"""' not in text and not text.endswith('"'):
        return f'"""\\\n{text}"""'
    lines = "".join(f"    {literal(line)}\n" for line in text.splitlines(keepends=True))
    return f"(\n{lines})"


def docstring(text: str, indent: str) -> list[str]:
    """The lines of a docstring, none for no text."""
    lines = [line.rstrip() for line in text.split("\n")]
    while lines and not lines[0]:
        del lines[0]
    while lines and not lines[-1]:
        del lines[-1]
    if not lines:
        return []
    shown = "\n".join(lines).replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    shown = "".join(c if c.isprintable() or c == "\n" else _escaped(c) for c in shown)
    if shown.endswith('"'):
        shown = shown[:-1] + '\\"'
    first, *rest = shown.lstrip().split("\n")
    if not rest:
        return [f'{indent}"""{first}"""']
    return [f'{indent}"""{first}', *(f"{indent}{line}" if line else "" for line in rest), f'{indent}"""']


def call(before: str, arguments: Iterable[str], behind: str, indent: str) -> list[str]:
    """``before(arguments)behind`` on one line if it fits, with a line for each argument if not."""
    parts = list(arguments)
    line = f"{indent}{before}({', '.join(parts)}){behind}"
    if len(line) <= WIDTH or not parts:
        return [line]
    return [f"{indent}{before}(", *(f"{indent}    {part}," for part in parts), f"{indent}){behind}"]
