"""What is wrong with an interface definition, said so that its author can mend it."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from fastvarlink.error import Error

__all__ = ["Fault", "IdlSyntaxError", "Source", "quoted"]

_LINE_END = re.compile("\r\n|[\n\r\u2028\u2029]")
_SHOWN = 60  # characters of a long line or token


def quoted(token: str) -> str:
    """A piece of the text, in quotes and shortened if it is long."""
    return repr(token if len(token) <= _SHOWN else token[:_SHOWN] + "...") if token else "the end of the text"


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

    def __str__(self) -> str:
        column = self.column - 1
        begin = max(0, column - _SHOWN)
        shown = self.source[begin : column + _SHOWN]
        # The text may come from a stranger: nothing in it may steer the terminal.
        line = "".join(c if c.isprintable() or c == "\t" else "\ufffd" for c in shown)
        caret = "".join("\t" if c == "\t" else " " for c in line[: column - begin]) + "^"
        hint = f"\n    {self.hint}" if self.hint else ""
        return f"line {self.line}, column {self.column}: {self.message}\n    {line}\n    {caret}{hint}"


class IdlSyntaxError(Error, SyntaxError):
    """An interface definition with faults.

    ``faults`` are all of them, in the order of the text. ``filename``, ``lineno``, ``offset``, ``text`` and
    ``msg`` are those of the first, as of any SyntaxError.
    """

    def __init__(self, faults: Iterable[Fault], filename: str | None = None) -> None:
        self.faults: tuple[Fault, ...] = tuple(faults)
        first = self.faults[0]
        super().__init__(first.message, (filename, first.line, first.column, first.source))

    def __reduce__(self) -> Any:
        return type(self), (self.faults, self.filename)

    def __str__(self) -> str:
        place = f"{self.filename}, " if self.filename else ""
        return "\n".join(f"{place}{fault}" for fault in self.faults)


class Source:
    """A text, and the lines of it that offsets fall in."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._starts = [0]
        self._ends = []
        for end in _LINE_END.finditer(text):
            self._ends.append(end.start())
            self._starts.append(end.end())
        self._ends.append(len(text))

    def place(self, offset: int) -> tuple[int, int, str]:
        """The line and the column of an offset, both from one, and the line's text."""
        line = bisect_right(self._starts, offset) - 1
        return line + 1, offset - self._starts[line] + 1, self.text[self._starts[line] : self._ends[line]]

    def fault(self, offset: int, message: str, hint: str = "") -> Fault:
        """A fault at an offset."""
        line, column, source = self.place(offset)
        return Fault(line, column, message, hint, source)

    def faults(self, spans: Sequence[tuple[int, int, str]]) -> list[Fault]:
        """What the grammar's faults (start, end, which) mean, in words."""
        return [self._grammar_fault(start, end, which) for start, end, which in spans]

    def _grammar_fault(self, start: int, end: int, which: str) -> Fault:
        token = self.text[start:end]
        expected = MESSAGES[which]
        if not expected.startswith("expected"):
            message = expected
        else:
            message = f"Found {quoted(token)}, {expected}."
        return self.fault(start, message, _hint(self.text, start, end, which))


# What the grammar says of a fault, by its name there.
MESSAGES = {
    "interface": "expected 'interface' and the interface's name",
    "interface name": "expected an interface name like 'org.example.name'",
    "no member": "The interface declares nothing; the specification wants one type, method or error at least.",
    "members": "The interface has more than 100000 members.",
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

_CLOSEST = {
    **dict.fromkeys(("str", "String", "text", "char", "bytes", "date", "datetime", "uuid"), "string"),
    **dict.fromkeys(("integer", "int32", "int64", "uint", "uint32", "uint64", "long", "number"), "int"),
    **dict.fromkeys(("double", "real", "decimal", "float32", "float64"), "float"),
    **dict.fromkeys(("boolean", "Bool"), "bool"),
    **dict.fromkeys(("dict", "map", "json", "struct"), "object"),
}


def _hint(text: str, start: int, end: int, which: str) -> str:
    token = text[start:end]
    if token == "/" and text.startswith("//", start):
        return "Comments begin with '#'."
    if token == ";":
        return "Nothing ends with a semicolon: remove it."
    if token in {"{", "}"}:
        if which in {"declared type", "method input", "method output", "error parameters", "type"}:
            return "Structs stand in parentheses, not in braces."
        return "An interface has no braces around its members: remove '{' and '}'."
    special = _HINTS.get(which)
    return special(token, text, end) if special is not None else ""


def _hint_for_type(token: str, text: str, end: int) -> str:
    if token in _CLOSEST:
        return f"Did you mean {_CLOSEST[token]}?"
    if token in {"type", "method", "error", "interface"}:
        return f"'{token}' is a keyword, not a type."
    if token in {"list", "array", "set", "tuple"}:
        return "An array is written []T, a set of strings [string]()."
    if token == "[":
        return "An array is written []T, a map [string]T, without blanks."
    if "." in token:
        return "Types of other interfaces cannot be used: declare the type in this one."
    if token[:1].isalpha() and token.isalnum():
        return "Types that are declared have names with a capital: bool, int, float, string, object, any have not."
    return ""


def _hint_for_name(token: str, text: str, end: int) -> str:
    name = re.sub(r"[^A-Za-z0-9]", "", token.title() if "_" in token else token[:1].upper() + token[1:])
    return f"Call it {name}." if name and name[0].isalpha() and name != token else ""


def _hint_for_field(token: str, text: str, end: int) -> str:
    name = re.sub(r"[^A-Za-z0-9]+", "_", token).strip("_")
    return f"Call it {name}." if name and name[0].isalpha() and name != token else ""


def _hint_for_separator(token: str, text: str, end: int) -> str:
    if token in {"[]", "["}:
        return "An array is written []T: the brackets stand before the type."
    if token == "?":
        return "A nullable type is written ?T: the question mark stands before the type."
    if token == "=":
        return "Fields have no default values; one that may be left out is nullable, ?T."
    if token[:1].isalnum():
        return "A comma is missing before it."
    return ""


def _hint_for_parenthesis(token: str, text: str, end: int) -> str:
    if token in _CLOSEST.values() or token in {"[]", "[string]", "?", "any"}:
        return "Only structs and enums can be declared: write the type itself where it is used."
    return "Without parameters it is written with an empty pair of parentheses, ()."


_HINTS = {
    "interface": lambda token, text, end: "A definition begins with 'interface' and a name like org.example.name.",
    "interface name": lambda token, text, end: (
        "A name has two parts at least, with dots between them, of letters, digits and inner hyphens."
    ),
    "keyword": lambda token, text, end: (
        f"Structs and enums are declared with 'type': type {text[end:].split('(')[0].strip()[:_SHOWN]} (...)."
        if token in {"struct", "enum"}
        else ""
    ),
    "member name": _hint_for_name,
    "declared type": lambda token, text, end: (
        "Only structs and enums can be declared: write the type itself where it is used."
    ),
    "method input": _hint_for_parenthesis,
    "method output": _hint_for_parenthesis,
    "error parameters": _hint_for_parenthesis,
    "arrow": lambda token, text, end: "A method that returns nothing ends with '-> ()'.",
    "field name": _hint_for_field,
    "value name": _hint_for_field,
    "field separator": _hint_for_separator,
    "value separator": _hint_for_separator,
    "first separator": lambda token, text, end: "A field is written 'name: type'.",
    "trailing comma": lambda token, text, end: "Remove the comma.",
    "type": _hint_for_type,
    "gap in type": lambda token, text, end: f"Write the type directly behind {token}.",
    "double nullable": lambda token, text, end: "One question mark is enough.",
    "no member": lambda token, text, end: "Declare one, as in 'method Ping() -> ()'.",
}
