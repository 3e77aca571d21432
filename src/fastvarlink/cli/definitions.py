"""Definitions of interfaces, from files, from stdin, and from services."""

from __future__ import annotations

import os
import stat
import sys
from argparse import Namespace
from typing import NamedTuple

from fastvarlink.cli.fault import BROKEN, MISUSED, REJECTED, fail, told
from fastvarlink.cli.session import Session
from fastvarlink.cli.target import split_address, target_of
from fastvarlink.idl.faults import IdlSyntaxError
from fastvarlink.idl.parser import parse
from fastvarlink.idl.tree import Interface

__all__ = ["Source", "ask_definition", "ask_text", "parsed", "read_source"]


class Source(NamedTuple):
    """The text of a definition, and where it is from: a path, ``stdin``, or an address and interface."""

    text: str | bytes
    name: str
    is_file: bool


def ask_text(session: Session, interface: str) -> str:
    """The text of an interface, as the service has it. Raises VarlinkError if it has none."""
    result = session.ask("org.varlink.service.GetInterfaceDescription", interface=interface)
    text = result.get("description")
    if not isinstance(text, str):
        fail(f"The service does not describe {interface}: its answer has no description.", BROKEN)
    return text


def ask_definition(session: Session, interface: str) -> Interface:
    """An interface, as the service describes it. Fails with a sentence if that cannot be understood."""
    return parsed(Source(ask_text(session, interface), interface, False))


def read_source(args: Namespace, word: str) -> Source:
    """The definition that a word names: a file, ``-`` for stdin, or [ADDRESS/]INTERFACE of a service."""
    if word == "-":
        if sys.stdin is None:
            fail("The definition cannot be read: stdin is closed.", REJECTED)
        return Source(sys.stdin.buffer.read(), "stdin", False)
    if _is_file(word):
        try:
            with open(word, "rb") as file:
                return Source(file.read(), word, True)
        except OSError as error:
            fail(f"The definition cannot be read from {word!r}: {error.strerror}.", REJECTED)
    address, interface = split_address(word)
    if "." not in interface or interface.endswith(".varlink"):
        fail(f"There is no file {word!r}, and it is no [ADDRESS/]INTERFACE either.", MISUSED)
    with target_of(args, address, interface) as target, target.session() as session, told(target.name):
        return Source(ask_text(session, interface), word, False)


def _is_file(path: str) -> bool:
    try:
        return not stat.S_ISSOCK(os.stat(path).st_mode)
    except OSError:
        return False


def parsed(source: Source) -> Interface:
    """The interface that a definition is. Fails with each of its faults, on a line of its own."""
    try:
        return parse(source.text, source.name)
    except IdlSyntaxError as error:
        fail(str(error), REJECTED if source.is_file or source.name == "stdin" else BROKEN)
