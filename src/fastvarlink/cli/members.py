"""Members of an interface by their names, and what was meant when there is none."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from fastvarlink.cli.fault import REJECTED, fail
from fastvarlink.idl import tree

__all__ = ["member_of", "method_of", "near"]

_COMPARED = 100  # letters; comparing takes time with the square of them


def near(word: str, known: Iterable[str]) -> str:
    """A hint to append to a sentence: ``; did you mean 'call'?``, or a full stop if nothing is close."""
    close = get_close_matches(word, sorted(known), 1) if len(word) <= _COMPARED else []
    return f"; did you mean {close[0]!r}?" if close else "."


def method_of(interface: tree.Interface, name: str) -> tree.Method:
    """The method of this name. Fails with a sentence that has the names that there are."""
    methods = {each.name: each for each in interface.members if isinstance(each, tree.Method)}
    if name in methods:
        return methods[name]
    fail(
        f"{interface.name} has no method {name!r}{near(name, methods)} "
        f"Its methods are: {', '.join(methods) or 'none'}.",
        REJECTED,
    )


def member_of(interface: tree.Interface, name: str) -> tree.Member:
    """The method, type or error of this name. Fails with a sentence that has a close one."""
    members = {each.name: each for each in interface.members}
    if name in members:
        return members[name]
    fail(f"{interface.name} declares no {name!r}{near(name, members)}", REJECTED)
