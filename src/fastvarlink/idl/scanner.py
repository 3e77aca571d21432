"""The scanner of the package ``varlink``: its names, its verdicts, its node classes.

It is for programs that call or patch it. It is narrower than the specification in places (interface
names, enums of one value, line ends, ``any``) and wider in others (a type may be declared as any
type, duplicates are allowed); ``fastvarlink.idl.parser`` is the one that follows the specification.

Types without parts are Python values: ``False``, ``0``, ``0.0``, ``""``, and ``set()`` for a set of
strings.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import KeysView, Mapping
from typing import Any, TypeAlias

__all__ = ["Member", "Node", "Scanner"]

_MAX_DEPTH = 64


class _Object:
    """``object``"""


class _Struct:
    def __init__(self, fields: Mapping[str, Node]) -> None:
        self.fields: OrderedDict[str, Node] = OrderedDict(fields)


class _Enum:
    def __init__(self, fields: KeysView[str]) -> None:
        self.fields = fields


class _Array:
    def __init__(self, element_type: Node) -> None:
        self.element_type = element_type


class _Maybe:
    def __init__(self, element_type: Node) -> None:
        self.element_type = element_type


class _Dict:
    def __init__(self, element_type: Node) -> None:
        self.element_type = element_type


class _CustomType:
    def __init__(self, name: str) -> None:
        self.name = name


class _Alias:
    def __init__(self, name: str, varlink_type: Node, doc: str | None = None) -> None:
        self.name = name
        self.type = varlink_type
        self.doc = doc


class _Method:
    def __init__(
        self,
        name: str,
        in_type: _Struct | _Enum,
        out_type: _Struct | _Enum,
        _signature: str | None,
        doc: str | None = None,
    ) -> None:
        self.name = name
        self.in_type = in_type
        self.out_type = out_type
        self.signature = _signature
        self.doc = doc


class _Error:
    def __init__(self, name: str, varlink_type: Node, doc: str | None = None) -> None:
        self.name = name
        self.type = varlink_type
        self.doc = doc


Node: TypeAlias = (
    _Object | _Struct | _Enum | _Array | _Maybe | _Dict | _CustomType | bool | int | float | str | set[str]
)
Member: TypeAlias = _Alias | _Method | _Error

_KEYWORD_VALUES: dict[str, Any] = {"bool": False, "int": 0, "float": 0.0, "string": ""}


class Scanner:
    """Reads an interface definition from left to right.

    Programs replace ``__init__`` and edit ``patterns``, so every method goes by nothing but the
    attributes set there. ``method_signature`` is kept for those who use it themselves; the scanner
    cuts signatures out of the text, as no regular expression can count parentheses.
    """

    # On the class, so that it is there when __init__ has been replaced.
    _depth = 0

    def __init__(self, string: str) -> None:
        self.whitespace = re.compile(r"(?:[ \t\n]+|#.*)+")
        self.docstring = re.compile(r"#(.*)\n")
        self.method_signature = re.compile(
            r"(?:[ \t\n]|#.*)*\([^)]*\)(?:[ \t\n]|#.*)*->(?:[ \t\n]|#.*)*\([^)]*\)"
        )
        self.keyword_pattern = re.compile(r"\b[a-z]+\b|->|\?|\[\]|\[string\](?:\(\))?|[:,(){}]", re.ASCII)
        self.patterns: dict[str, re.Pattern[str]] = {
            "interface-name": re.compile(r"(?:[A-Za-z]+|xn--[a-z0-9]*)(?:\.[A-Za-z0-9](?:-*[A-Za-z0-9])*)+"),
            "member-name": re.compile(r"\b[A-Z][A-Za-z0-9]*\b", re.ASCII),
            "identifier": re.compile(r"\b[A-Za-z](?:_?[A-Za-z0-9])*\b", re.ASCII),
        }
        self.string = string
        self.pos = 0
        self.current_doc = ""

    def _skip(self) -> None:
        """Go past white space and comments, and keep the comments in ``current_doc``."""
        blank = self.whitespace.match(self.string, self.pos)
        if blank is None:
            return
        self.pos = blank.end()
        if comments := self.docstring.findall(blank.group()):
            text = "\n".join(comments)
            self.current_doc = f"{self.current_doc}\n{text}" if self.current_doc else text

    def get(self, expected: str) -> Any:
        """Take ``expected`` if it comes next: a key of ``patterns``, or a keyword or sign.

        Returns the text for a pattern, True for a keyword, None when something else comes next.
        """
        self._skip()
        pattern = self.patterns.get(expected)
        found = (pattern or self.keyword_pattern).match(self.string, self.pos)
        if found is None or (pattern is None and found.group() != expected):
            return None
        self.pos = found.end()
        return True if pattern is None else found.group()

    def expect(self, expected: str) -> Any:
        """As ``get``, but SyntaxError when something else comes next."""
        value = self.get(expected)
        if not value:
            raise SyntaxError(f"expected '{expected}'")
        return value

    def end(self) -> bool:
        """Whether nothing but white space and comments is left."""
        self._skip()
        return self.pos >= len(self.string)

    def read_type(self, lastmaybe: bool = False) -> Node:
        """Take a type. ``lastmaybe`` says that a ``?`` stands before it. SyntaxError if none."""
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise SyntaxError(f"types are nested more than {_MAX_DEPTH} deep")
        node = self._read_type(lastmaybe)
        self._depth -= 1
        return node

    def _read_type(self, lastmaybe: bool) -> Node:
        if self.get("?"):
            if lastmaybe:
                raise SyntaxError("double '??'")
            return _Maybe(self.read_type(lastmaybe=True))
        if self.get("[string]()"):
            return set()
        if self.get("[string]"):
            return _Dict(self.read_type())
        if self.get("[]"):
            return _Array(self.read_type())
        if self.get("object"):
            return _Object()
        for keyword, value in _KEYWORD_VALUES.items():
            if self.get(keyword):
                node: Node = value
                return node
        name = self.get("member-name")
        return _CustomType(name) if name else self.read_struct()

    def read_struct(self) -> _Struct | _Enum:
        """Take a struct or an enum, from parenthesis to parenthesis. SyntaxError if none."""
        self.expect("(")
        if self.get(")"):
            return _Struct({})
        name = self.expect("identifier")
        fields: OrderedDict[str, Any] = OrderedDict()
        if self.get(":"):
            fields[name] = self.read_type()
            while self.get(","):
                name = self.expect("identifier")
                try:
                    self.expect(":")
                    fields[name] = self.read_type()
                except SyntaxError as error:
                    raise SyntaxError(f"after '{name}': {error}") from error
            self.expect(")")
            return _Struct(fields)
        if not self.get(","):
            raise SyntaxError(f"after '{name}'")
        fields[name] = True
        fields[self.expect("identifier")] = True
        while self.get(","):
            fields[self.expect("identifier")] = True
        self.expect(")")
        return _Enum(fields.keys())

    def _take_doc(self) -> str:
        doc, self.current_doc = self.current_doc, ""
        return doc

    def read_member(self) -> Member:
        """Take a type, a method or an error. SyntaxError if none comes next."""
        if self.get("type"):
            return self._read_alias()
        if self.get("method"):
            name = self.expect("member-name")
            start = self.pos
            received = self.read_struct()
            self.expect("->")
            returned = self.read_struct()
            signature = name + self.string[start : self.pos]
            return _Method(name, received, returned, signature, self._take_doc())
        if self.get("error"):
            doc = self._take_doc()
            return _Error(self.expect("member-name"), self.read_type(), doc)
        raise SyntaxError("expected type, method, or error")

    def _read_alias(self) -> _Alias:
        name = self.get("member-name")
        if not name:
            word = re.compile(r"[^ \t\n#]*").match(self.string, self.pos)
            raise SyntaxError(f"'{word.group() if word else ''}' not a valid type name.")
        try:
            node = self.read_type()
        except SyntaxError as error:
            raise SyntaxError(f"in '{name}': {error}") from error
        return _Alias(name, node, self._take_doc())


_original_init = Scanner.__init__


def is_patched() -> bool:
    """True when a program has replaced ``Scanner.__init__``, to have other names accepted."""
    return Scanner.__init__ is not _original_init
