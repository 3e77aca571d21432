"""The parameters of a call, in each of the ways to write them: JSON, ``-``, ``@FILE``, ``key=value``."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from typing import Any

from fastvarlink.cli.fault import REJECTED, fail

__all__ = ["from_text", "read_parameters"]


def read_parameters(words: Sequence[str], method: str, definition: Callable[[], Any]) -> dict[str, Any]:
    """The parameters that the words say. ``definition`` gets the interface, for the types of KEY=VALUE."""
    if not words:
        return {}
    if len(words) == 1:
        (word,) = words
        if word == "-":
            return from_text(_stdin(), "stdin")
        if word.startswith("@"):
            return from_text(_file(word[1:]), f"the file {word[1:]!r}")
        if not word.strip():
            return {}
        if "=" not in word.split("{", 1)[0]:
            return from_text(word, repr(word))
    from fastvarlink.cli.pairs import from_pairs

    return from_pairs(words, method, definition())


def from_text(text: str | bytes, source: str) -> dict[str, Any]:
    """The JSON object that a text is. Fails with a sentence that says where the text came from."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        fail(f"The parameters in {source} are not JSON: {error}. Write {{...}} or key=value.", REJECTED)
    if not isinstance(value, dict):
        fail(f"The parameters in {source} are no JSON object; write them as {{...}} or key=value.", REJECTED)
    return value


def _stdin() -> bytes:
    if sys.stdin is None:
        fail("The parameters cannot be read: stdin is closed.", REJECTED)
    try:
        return sys.stdin.buffer.read()
    except OSError as error:
        fail(f"The parameters cannot be read from stdin: {error.strerror}.", REJECTED)


def _file(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        fail(f"The parameters cannot be read from {path!r}: {error.strerror}.", REJECTED)
