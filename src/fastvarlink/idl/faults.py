"""What is wrong with an interface definition, said so that its author can mend it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from fastvarlink.error import Error
from fastvarlink.idl.hints import hint_for

__all__ = ["Fault", "IdlSyntaxError", "Source", "quoted"]

_BREAKS = ("\n", "\r", "\u2028", "\u2029")
_next_break = re.compile("[\n\r\u2028\u2029]|\\Z").search
_SHOWN = 60  # characters of a long line or token


def quoted(token: str) -> str:
    """A piece of the text, in quotes and shortened if it is long."""
    return repr(token if len(token) <= _SHOWN else token[:_SHOWN] + "...")


def _printable(text: str) -> str:
    # The text may come from a stranger: nothing in it may steer the terminal.
    hidden = {ord(c): "\ufffd" for c in set(text) if not (c.isprintable() or c == "\t")}
    return text.translate(hidden) if hidden else text


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of a text.

    ``line`` and ``column`` count from one, ``source`` is that line; ``message`` says what was found and what
    was expected, ``hint`` how to mend it (or nothing).
    """

    line: int
    column: int
    message: str
    hint: str = ""
    source: str = ""

    def excerpt(self) -> str:
        """The line, or what is near in a long one, with a caret below the place. Safe to be shown."""
        column = self.column - 1
        begin = max(0, column - _SHOWN)
        line = _printable(self.source[begin : column + _SHOWN])
        caret = "".join("\t" if c == "\t" else " " for c in line[: column - begin]) + "^"
        return f"    {line}\n    {caret}"

    def __str__(self) -> str:
        hint = f"\n    {self.hint}" if self.hint else ""
        return f"line {self.line}, column {self.column}: {self.message}\n{self.excerpt()}{hint}"


class IdlSyntaxError(Error, SyntaxError):
    """An interface definition with faults.

    ``faults`` are all of them, in the order of the text. ``filename``, ``lineno``, ``offset``, ``text`` and
    ``msg`` are those of the first, as of any SyntaxError. Tracebacks show ``text``, so what cannot be printed
    is replaced in it.
    """

    def __init__(self, faults: Iterable[Fault], filename: str | None = None) -> None:
        self.faults: tuple[Fault, ...] = tuple(faults)
        first = self.faults[0]
        super().__init__(first.message, (filename, first.line, first.column, _printable(first.source)))

    def __reduce__(self) -> Any:
        return type(self), (self.faults, self.filename)

    def __str__(self) -> str:
        place = f"{self.filename}, " if self.filename else ""
        return "\n".join(f"{place}{fault}" for fault in self.faults)


class Source:
    """A text, and the lines of it that offsets fall in.

    Offsets that are asked for in their order take no more time together than one walk over the text.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._begin(1, 0)

    def _begin(self, number: int, start: int) -> None:
        self._number = number
        self._start = start
        self._end = -1 if (found := _next_break(self.text, start)) is None else found.start()
        # Faults of one line share its text, which may be long.
        self._line = self.text[start : self._end]

    def place(self, offset: int) -> tuple[int, int, str]:
        """The line and the column of an offset, both from one, and the line's text."""
        if offset < self._start:
            self._begin(1, 0)
        if offset > self._end:
            breaks = sum(self.text.count(each, self._start, offset) for each in _BREAKS)
            breaks -= self.text.count("\r\n", self._start, offset)
            last = max(self.text.rfind(each, self._start, offset) for each in _BREAKS)
            self._begin(self._number + breaks, last + 1)
        return self._number, offset - self._start + 1, self._line

    def fault(self, offset: int, message: str, hint: str = "") -> Fault:
        """A fault at an offset."""
        line, column, source = self.place(offset)
        return Fault(line, column, message, hint, source)


def in_words(text: str, at: int, start: int, end: int, which: str) -> tuple[str, str]:
    """The message and the hint for a fault that the grammar found (see ``_core.grammar.read``)."""
    message = MESSAGES[which]
    if message.startswith("expected"):
        token = text[start:end]
        # What is missing at the end of a line is shown there, not where the next line begins.
        found = "the end of the text" if not token else "the end of the line" if at < start else quoted(token)
        message = f"Found {found}, {message}."
    return message, hint_for(text, start, end, which)


# What the grammar says of a fault, by its name there.
MESSAGES = {
    "interface": "expected 'interface' and the interface's name",
    "interface name": "expected an interface name like 'org.example.name'",
    "no member": "The interface declares nothing; one type, method or error is needed at least.",
    "members": "The interface has more than 100000 members.",
    "parts": "The interface has more than 1000000 fields and values.",
    "too many": "Reading ended here, after 100 faults.",
    "keyword": "expected 'type', 'method' or 'error'",
    "member name": "expected a name of letters and digits that begins with a capital",
    "declared type": "expected '(' and the fields of a struct or the values of an enum",
    "method input": "expected '(' and the parameters of a method",
    "method output": "expected '(' and the result of a method",
    "error parameters": "expected '(' and the parameters of an error",
    "method input enum": "Found an enum, expected a struct as the parameters of a method.",
    "method output enum": "Found an enum, expected a struct as the result of a method.",
    "error parameters enum": "Found an enum, expected a struct as the parameters of an error.",
    "arrow": "expected '->' and what the method returns",
    "first separator": "expected ':' and the type of a field, or ',' or ')' in an enum",
    "field name": "expected a field name (letters and digits, single underscores between them)",
    "value name": "expected the name of an enum's value (written like a field name)",
    "colon": "expected ':' and the type of the field",
    "field separator": "expected ',' or ')' after the field",
    "value separator": "expected ',' or ')' after the enum's value",
    "trailing comma": "Found a comma before ')', expected another field or value after it.",
    "type": "expected a type",
    "depth": "Types are nested more than 64 deep.",
    "gap in type": "expected no blank and no comment between it and the type that follows",
    "double nullable": "expected a type that is not itself nullable after '?'",
}
