"""The parameters of a call, in each of the ways to write them: JSON, ``-``, ``@FILE``, ``key=value``."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from fastvarlink.cli.fault import MISUSED, REJECTED, fail

__all__ = ["file_contents", "from_text", "read_parameters", "strict_json"]


def read_parameters(words: Sequence[str], method: str, definition: Callable[[], Any]) -> dict[str, Any]:
    """The parameters that the words say. ``definition`` gets the interface, for the types of KEY=VALUE."""
    if not words:
        return {}
    if len(words) == 1:
        (word,) = words
        if word == "-":
            return from_text(_stdin(), "stdin")
        if word.startswith("@"):
            return from_text(
                file_contents(word[1:], "The parameters"),
                f"the file {word[1:]!r}",
            )
        if not word.strip():
            return {}
        if "=" not in word or _is_json(word):
            return from_text(word, repr(word))
    for word in words:
        if word == "-" or word.startswith("@") or _is_json(word):
            fail(
                f"{word!r} can only stand by itself: parameters are either JSON, - or @FILE, "
                "or words like key=value.",
                MISUSED,
            )
    from fastvarlink.cli.pairs import from_pairs

    return from_pairs(words, method, definition())


def _is_json(word: str) -> bool:
    """Whether a word is meant as JSON rather than as key=value: no key begins so."""
    return word.lstrip().startswith(("{", "[", '"'))


def from_text(text: str | bytes, source: str) -> dict[str, Any]:
    """The JSON object that a text is. Fails with a sentence that says where the text came from."""
    try:
        value = strict_json(text)
    except (ValueError, RecursionError) as error:
        fail(f"The parameters in {source} are not JSON: {error}. Write {{...}} or key=value.", REJECTED)
    if not isinstance(value, dict):
        fail(f"The parameters in {source} are no JSON object; write them as {{...}} or key=value.", REJECTED)
    return value


def strict_json(text: str | bytes) -> Any:
    """The value that a text is. ValueError if it is no JSON, or has a number that cannot be sent as JSON."""
    return json.loads(text, parse_constant=_no_number, parse_float=_finite)


def _finite(text: str) -> float:
    value = float(text)
    return value if math.isfinite(value) else _no_number(text)


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"the number {text} cannot be sent")


def _stdin() -> bytes:
    if sys.stdin is None:
        fail("The parameters cannot be read: stdin is closed.", REJECTED)
    try:
        return sys.stdin.buffer.read()
    except OSError as error:
        fail(f"The parameters cannot be read from stdin: {error.strerror}.", REJECTED)


def file_contents(path: str, what: str) -> bytes:
    """What is in a file. Fails with a sentence about what should have been."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        fail(f"{what} cannot be read from {path!r}: {error.strerror}.", REJECTED)
