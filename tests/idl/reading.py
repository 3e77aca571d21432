"""Reads pieces of definitions for tests."""

from __future__ import annotations

import pytest

from fastvarlink.idl import IdlSyntaxError, parse, tree

HEAD = "interface org.example.test\n"


def member(text: str) -> tree.Member:
    """The last of the members that ``text`` has."""
    return parse(HEAD + text).members[-1]


def type_of(text: str) -> tree.Type:
    """What ``text`` reads as, where a type stands."""
    declaration = member(f"type Other (x: int)\ntype T (a: {text})")
    assert isinstance(declaration, tree.TypeDeclaration)
    assert isinstance(declaration.type, tree.Struct)
    return declaration.type.fields[0].type


def refusal(text: str | bytes, filename: str | None = None) -> IdlSyntaxError:
    """Why a whole text is no definition."""
    with pytest.raises(IdlSyntaxError) as caught:
        parse(text, filename)
    return caught.value


def places(error: IdlSyntaxError) -> list[tuple[int, int]]:
    """The line and the column of each fault."""
    return [(fault.line, fault.column) for fault in error.faults]
