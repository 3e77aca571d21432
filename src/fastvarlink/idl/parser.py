"""Reads an interface definition, to the grammar of the Varlink specification."""

from __future__ import annotations

from typing import NoReturn

from fastvarlink._core import grammar
from fastvarlink.idl import tree
from fastvarlink.idl.checks import problems
from fastvarlink.idl.faults import IdlSyntaxError, Source, in_words
from fastvarlink.idl.hints import member_name

__all__ = ["parse"]

# A definition comes from the peer, who may mean harm: this limits the memory that it takes.
MAX_TEXT = 16 * 1024 * 1024


def parse(text: str | bytes, filename: str | None = None) -> tree.Interface:
    """The syntax tree of an interface definition (rules I1 to I7).

    ``text`` is the definition, as a string or as UTF-8; ``filename`` is what error messages call it. Raises
    IdlSyntaxError, which has all faults: of grammar, names declared twice or not at all, structs that contain
    themselves with no way out, limits exceeded.
    """
    decoded = _decode(text, filename) if isinstance(text, bytes) else str.__str__(text)
    _check_characters(decoded, filename)
    interface, spans, unread = grammar.read(decoded)
    found = []
    if unread is not None:
        # A type that could not be read, or not by its right name, may be the one that is missed.
        declared = {*unread, *map(member_name, unread)}
        found = [problem for problem in problems(interface) if problem.missing not in declared]
    if spans or found:
        faults = [(span[0], *in_words(decoded, *span)) for span in spans]
        faults += [(at, message, hint) for at, message, hint, _ in found]
        source = Source(decoded)
        ordered = sorted(faults, key=lambda fault: fault[0])
        raise IdlSyntaxError([source.fault(*fault) for fault in ordered], filename)
    return interface


def _fail(text: str, offset: int, message: str, hint: str, filename: str | None) -> NoReturn:
    raise IdlSyntaxError([Source(text).fault(offset, message, hint)], filename)


def _decode(data: bytes, filename: str | None) -> str:
    _check_size(len(data), filename)
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        start = error.start
    before = data[:start].decode()
    text = before + data[start:].decode(errors="replace")
    _fail(text, len(before), "Found bytes that are not valid UTF-8.", "Save the text as UTF-8.", filename)


def _check_characters(text: str, filename: str | None) -> None:
    _check_size(len(text), filename)
    if (nul := text.find("\0")) >= 0:
        _fail(text, nul, "Found a NUL character, which a definition cannot contain.", "Remove it.", filename)
    if text.isascii():
        return
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        fault = error.start
    else:
        return _check_size(size, filename)
    _fail(text, fault, "Found a character that is not valid UTF-8.", "Remove it.", filename)


def _check_size(size: int, filename: str | None) -> None:
    if size > MAX_TEXT:
        _fail("", 0, f"The definition has {size} bytes; {MAX_TEXT} are allowed at most.", "", filename)
