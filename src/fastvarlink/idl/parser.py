"""Reads an interface definition, to the grammar of the Varlink specification.

Accepted beyond the grammar, as every reader agrees on what it means: members without a line break
between them, an interface without members, blanks between ``?`` or ``[]`` and what follows, and a
last comment without a line end.
"""

from __future__ import annotations

import re
from typing import NoReturn

from fastvarlink.error import Error
from fastvarlink.idl import tree
from fastvarlink.idl.tokens import documentation, locate, source_line, tokenize

__all__ = ["IdlSyntaxError", "parse"]

# A definition comes from the peer, who may mean harm. Text and members are limited against
# exhausting memory, depth against exhausting the stack of whoever walks the tree.
MAX_TEXT = 16 * 1024 * 1024
MAX_MEMBERS = 100_000
MAX_DEPTH = 64

_is_interface_name = re.compile(
    r"[A-Za-z][A-Za-z0-9]*(?:-+[A-Za-z0-9]+)*(?:\.[A-Za-z0-9]+(?:-+[A-Za-z0-9]+)*)+"
).fullmatch
_is_member_name = re.compile(r"[A-Z][A-Za-z0-9]*").fullmatch
_is_field_name = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)*").fullmatch

_PRIMITIVES = {primitive.value: primitive for primitive in tree.Primitive}

_A_FIELD_NAME = "a field name (letters and digits, single underscores between them)"
_A_MEMBER_NAME = "a name of letters and digits that begins with a capital"
_A_TYPE = "a type"

_SHOWN = 60  # characters of a long line on each side of the fault


class IdlSyntaxError(Error, SyntaxError):
    """An interface definition that is not well formed.

    ``lineno`` and ``offset`` count from one, ``text`` is the line, ``msg`` the sentence without the
    place. ``str()`` gives all of it, with a caret below the fault.
    """

    def __str__(self) -> str:
        if self.lineno is None or self.offset is None or self.text is None:
            return self.msg
        column = self.offset - 1
        begin = max(0, column - _SHOWN)
        shown = self.text[begin : column + _SHOWN]
        # The text may come from a stranger: nothing in it may steer the terminal.
        line = "".join(c if c.isprintable() or c == "\t" else "\ufffd" for c in shown)
        caret = "".join("\t" if c == "\t" else " " for c in line[: column - begin]) + "^"
        return f"line {self.lineno}, column {self.offset}: {self.msg}\n    {line}\n    {caret}"


def parse(text: str) -> tree.Interface:
    """The syntax tree of an interface definition.

    Raises IdlSyntaxError at the first fault: of grammar, a name declared twice or not at all, a
    struct that contains itself with no way out, or a limit exceeded.
    """
    return _Parser(text).interface()


def _quoted(token: str) -> str:
    if not token:
        return "the end of the text"
    return repr(token if len(token) <= _SHOWN else token[:_SHOWN] + "...")


def _fail_at(text: str, position: int, sentence: str) -> NoReturn:
    line, column, source = source_line(text, position)
    raise IdlSyntaxError(sentence, (None, line, column, source))


def _check_characters(text: str) -> None:
    if (nul := text.find("\0")) >= 0:
        _fail_at(text, nul, "Found a NUL character, which a definition cannot contain.")
    size = len(text)
    if not text.isascii():
        try:
            size = len(text.encode())
        except UnicodeEncodeError as error:
            fault = error.start
        else:
            fault = -1
        if fault >= 0:
            _fail_at(text, fault, "Found a character that is not valid UTF-8.")
    if size > MAX_TEXT:
        raise IdlSyntaxError(
            f"The definition has {size} bytes; {MAX_TEXT} are allowed at most.",
            (None, 1, 1, ""),
        )


class _Parser:
    """Recursive descent over the tokens. ``at`` is the index of the next one."""

    __slots__ = ("at", "comments", "references", "text", "tokens")

    def __init__(self, text: str) -> None:
        _check_characters(text)
        self.text = text
        self.tokens, self.comments = tokenize(text)
        self.at = 0
        # Types named so far, and the token that named each first.
        self.references: dict[str, int] = {}

    def fail(self, index: int, sentence: str) -> NoReturn:
        _fail_at(self.text, locate(self.text, index), sentence)

    def expected(self, what: str, index: int | None = None) -> NoReturn:
        index = self.at if index is None else index
        self.fail(index, f"Found {_quoted(self.tokens[index])}, expected {what}.")

    def doc(self, index: int) -> str:
        comments = self.comments[index]
        return documentation(comments) if comments else ""

    def interface(self) -> tree.Interface:
        tokens = self.tokens
        if tokens[0] != "interface":
            self.expected("'interface' and the interface's name")
        doc = self.doc(0)
        self.at = 1
        name = tokens[1]
        if not _is_interface_name(name):
            self.expected("an interface name like 'org.example.name'")
        self.at = 2
        declared: dict[str, int] = {}
        members: list[tree.Member] = []
        while tokens[self.at]:
            if len(members) == MAX_MEMBERS:
                self.fail(self.at, f"The interface has more than {MAX_MEMBERS} members.")
            start = self.at
            member = self.member()
            if declared.setdefault(member.name, start + 1) != start + 1:
                self.fail(
                    start + 1,
                    f"Found a second declaration of {_quoted(member.name)}; types, methods and "
                    f"errors need different names.",
                )
            members.append(member)
        interface = tree.Interface(name, doc, tuple(members))
        self.check_references(interface, declared)
        self.check_containment(interface, declared)
        return interface

    def member(self) -> tree.Member:
        start = self.at
        keyword = self.tokens[start]
        if keyword not in {"type", "method", "error"}:
            self.expected("'type', 'method' or 'error'")
        self.at = start + 1
        name = self.tokens[self.at]
        if not _is_member_name(name):
            self.expected(_A_MEMBER_NAME)
        self.at = start + 2
        doc = self.doc(start)
        if keyword == "method":
            received = self.struct("the parameters of a method")
            if self.tokens[self.at] != "->":
                self.expected("'->' and what the method returns")
            self.at += 1
            return tree.Method(name, received, self.struct("the result of a method"), doc)
        if keyword == "error":
            return tree.Error(name, self.struct("the parameters of an error"), doc)
        if self.tokens[self.at] != "(":
            self.expected("'(' and the fields of a struct or the values of an enum")
        return tree.TypeDeclaration(name, self.body(1), doc)

    def struct(self, role: str) -> tree.Struct:
        """A struct where an enum will not do."""
        start = self.at
        if self.tokens[start] != "(":
            self.expected(f"'(' and {role}")
        body = self.body(1)
        if isinstance(body, tree.Enum):
            self.fail(start, f"Found an enum, expected a struct as {role}.")
        return body

    def type(self, depth: int) -> tree.Type:
        """A type that stands within ``depth`` others."""
        token = self.tokens[self.at]
        if (primitive := _PRIMITIVES.get(token)) is not None:
            self.at += 1
            return primitive
        if _is_member_name(token):
            self.references.setdefault(token, self.at)
            self.at += 1
            return tree.Named(token)
        if token not in {"(", "?", "[]", "[string]"}:
            self.expected(_A_TYPE)
        if depth == MAX_DEPTH:
            self.fail(self.at, f"Types are nested more than {MAX_DEPTH} deep.")
        if token == "(":
            return self.body(depth + 1)
        self.at += 1
        if token == "[]":
            return tree.Array(self.type(depth + 1))
        if token == "[string]":
            return tree.Map(self.type(depth + 1))
        if self.tokens[self.at] == "?":
            self.expected("a type that is not itself nullable after '?'")
        return tree.Nullable(self.type(depth + 1))

    def body(self, depth: int) -> tree.Struct | tree.Enum:
        """A struct or an enum; the next token is its opening parenthesis."""
        tokens = self.tokens
        self.at += 1
        if tokens[self.at] == ")":
            self.at += 1
            return tree.Struct(())
        if not _is_field_name(tokens[self.at]):
            self.expected(f"{_A_FIELD_NAME} or ')'")
        separator = tokens[self.at + 1]
        if separator == ":":
            return tree.Struct(tuple(self.fields(depth)))
        if separator in {",", ")"}:
            return tree.Enum(tuple(self.values()))
        self.expected("':' and the type of a field, or ',' or ')' in an enum", self.at + 1)

    def fields(self, depth: int) -> list[tree.Field]:
        tokens, comments = self.tokens, self.comments
        fields: list[tree.Field] = []
        seen: set[str] = set()
        at = self.at
        while True:
            start = at
            name = tokens[start]
            if not _is_field_name(name):
                self.expected(_A_FIELD_NAME, start)
            if name in seen:
                self.fail(start, f"Found a second field {_quoted(name)} in one struct.")
            seen.add(name)
            if tokens[start + 1] != ":":
                self.expected("':' and the type of the field", start + 1)
            of: tree.Type | None = _PRIMITIVES.get(tokens[start + 2])
            if of is None:
                self.at = start + 2
                of = self.type(depth)
                at = self.at
            else:  # most fields; a call less for each
                at = start + 3
            doc = comments[start]
            fields.append(tree.Field(name, of, documentation(doc) if doc else ""))
            end = tokens[at]
            at += 1
            if end == ")":
                self.at = at
                return fields
            if end != ",":
                self.expected("',' or ')' after the field", at - 1)

    def values(self) -> list[tree.EnumValue]:
        tokens = self.tokens
        values: list[tree.EnumValue] = []
        seen: set[str] = set()
        while True:
            start = self.at
            name = tokens[start]
            if not _is_field_name(name):
                self.expected("the name of an enum's value (written like a field name)")
            if name in seen:
                self.fail(start, f"Found a second value {_quoted(name)} in one enum.")
            seen.add(name)
            values.append(tree.EnumValue(name, self.doc(start)))
            end = tokens[start + 1]
            self.at = start + 2
            if end == ")":
                return values
            if end != ",":
                self.expected("',' or ')' after the enum's value", start + 1)

    def check_references(self, interface: tree.Interface, declared: dict[str, int]) -> None:
        if not self.references:
            return
        types = {m.name for m in interface.members if isinstance(m, tree.TypeDeclaration)}
        for name, index in self.references.items():
            if name in types:
                continue
            if name in declared:
                kind = self.tokens[declared[name] - 1]
                self.fail(index, f"Found the name of a {kind}, {_quoted(name)}, expected a type.")
            self.fail(index, f"Found {_quoted(name)}, which this interface does not declare.")

    def check_containment(self, interface: tree.Interface, declared: dict[str, int]) -> None:
        """Refuse a struct that contains itself other than in a nullable, an array or a map."""
        inside = {
            member.name: contained
            for member in interface.members
            if isinstance(member, tree.TypeDeclaration) and (contained := _contained(member.type))
        }
        # Depth first, with a stack of our own: declarations may form a chain of any length.
        finished: set[str] = set()
        for root, contained in inside.items():
            if root in finished:
                continue
            path = {root: iter(contained)}
            while path:
                current, rest = next(reversed(path.items()))
                name = next(rest, None)
                if name is None:
                    finished.add(current)
                    del path[current]
                elif name in path:
                    self.fail(
                        declared[name],
                        f"{_quoted(name)} contains itself, so no value of it can exist; "
                        f"make the field nullable, an array or a map.",
                    )
                elif name in inside and name not in finished:
                    path[name] = iter(inside[name])


def _contained(of: tree.Type) -> list[str]:
    """The named types of which each value of this type holds one."""
    if isinstance(of, tree.Named):
        return [of.name]
    if isinstance(of, tree.Struct):
        return [name for field in of.fields for name in _contained(field.type)]
    return []
