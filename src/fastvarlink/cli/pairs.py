"""Parameters as KEY=VALUE, with the types that the method declares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastvarlink.cli.fault import MISUSED, fail
from fastvarlink.idl.tree import Interface

__all__ = ["from_pairs"]


def from_pairs(words: Sequence[str], method: str, interface: Interface) -> dict[str, Any]:
    """The parameters that the words say. Fails with a sentence."""
    parameters: dict[str, Any] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals:
            fail(f"{word!r} is no parameter of {method}; write KEY=VALUE.", MISUSED)
        try:
            parameters[key] = int(value)
        except ValueError:
            parameters[key] = value
    return parameters
