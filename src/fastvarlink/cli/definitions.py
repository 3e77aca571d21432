"""Definitions of interfaces, from files, from stdin, and from services."""

from __future__ import annotations

import os
import re
import stat
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable
from typing import NamedTuple

from fastvarlink.cli.fault import BROKEN, MISUSED, REJECTED, fail, told
from fastvarlink.cli.output import legible
from fastvarlink.cli.session import Session
from fastvarlink.cli.target import split_address, target_of, timeout_option, where_options
from fastvarlink.idl.faults import IdlSyntaxError
from fastvarlink.idl.parser import parse
from fastvarlink.idl.tree import Interface

__all__ = [
    "Source",
    "ask_definition",
    "ask_text",
    "definition_argument",
    "definition_options",
    "definitions_argument",
    "parsed",
    "read_source",
    "read_sources",
]

_INTERFACE = re.compile(r"[A-Za-z](?:-*[A-Za-z0-9])*(?:\.[A-Za-z0-9](?:-*[A-Za-z0-9])*)+")


class Source(NamedTuple):
    """The text of a definition, and where it is from: a path, ``stdin``, or an address and interface.

    ``address`` is that of the service, None if it was not given.
    """

    text: str | bytes
    name: str
    is_file: bool
    address: str | None = None

    @property
    def is_given(self) -> bool:
        """Whether the user has it, in a file or on stdin, and no service."""
        return self.is_file or self.name == "stdin"


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


def definitions_argument(parser: ArgumentParser) -> None:
    """Add the words that name definitions: ``args.words``, ``-`` if there is none."""
    help = "a file, - for stdin, as without any, [ADDRESS/]INTERFACE, or an ADDRESS for all interfaces there"
    parser.add_argument("words", metavar="DEFINITION", nargs="*", default=["-"], help=help)


def definition_argument(parser: ArgumentParser, name: str, metavar: str) -> None:
    """Add the word that names one definition."""
    help = "a file, - for stdin, [ADDRESS/]INTERFACE, or the ADDRESS of a service with one interface"
    parser.add_argument(name, metavar=metavar, help=help)


def definition_options(parser: ArgumentParser) -> None:
    """Add the options that tell where the services are whose definitions are read."""
    timeout_option(parser)
    where_options(parser)


def read_source(args: Namespace, word: str) -> Source:
    """The definition that a word names: a file, ``-`` for stdin, or [ADDRESS/]INTERFACE of a service.

    An address alone will do where the service has one interface besides org.varlink.service.
    """
    source, *others = read_sources(args, [word])
    if others:
        names = ", ".join(each.name for each in (source, *others))
        fail(f"{word!r} has several interfaces; name the one that is meant: {names}.", MISUSED)
    return source


def read_sources(args: Namespace, words: Iterable[str]) -> list[Source]:
    """The definitions that words name: as for read_source(), but an address alone means all interfaces."""
    return [source for word in words for source in _read(args, word)]


def _read(args: Namespace, word: str) -> list[Source]:
    if word == "-":
        return [Source(_stdin(), "stdin", False)]
    if _is_file(word):
        try:
            with open(word, "rb") as file:
                return [Source(file.read(), word, True)]
        except OSError as error:
            fail(f"The definition cannot be read from {word!r}: {error.strerror}.", REJECTED)
    address, interface = _split(word)
    with target_of(args, address, interface) as target, target.session() as session, told(target.name):
        if interface is not None:
            return [Source(ask_text(session, interface), word, False, address)]
        names = [name for name in session.interfaces() if name != "org.varlink.service"]
        if not names:
            fail(f"{word!r} has no interface but org.varlink.service.", MISUSED)
        return [Source(ask_text(session, name), f"{word}/{legible(name)}", False, address) for name in names]


def _stdin() -> bytes:
    if sys.stdin is None:
        fail("The definition cannot be read: stdin is closed.", REJECTED)
    try:
        text = sys.stdin.buffer.read()
    except OSError as error:
        fail(f"The definition cannot be read from stdin: {error.strerror}.", REJECTED)
    if not text.strip():
        fail("The definition cannot be read: stdin is empty, or has been read already.", REJECTED)
    return text


def _split(word: str) -> tuple[str | None, str | None]:
    """The address and the interface that a word names, perhaps only one of them. Fails if it names none."""
    address, interface = split_address(word)
    if _INTERFACE.fullmatch(interface) and not interface.endswith(".varlink") and not _is_socket(word):
        return address, interface
    if word.endswith(".varlink") or (":" not in word and not _is_socket(word)):
        fail(f"There is no file {word!r}, and it is no [ADDRESS/]INTERFACE either.", MISUSED)
    return word, None


def _is_socket(word: str) -> bool:
    """Whether all of a word is the path of a socket, so that no part of it names an interface."""
    path = word.partition(";")[0].removeprefix("unix:")
    try:
        return stat.S_ISSOCK(os.stat(path).st_mode)
    except (OSError, ValueError):
        return False


def _is_file(path: str) -> bool:
    try:
        return not stat.S_ISSOCK(os.stat(path).st_mode)
    except (OSError, ValueError):
        return False


def parsed(source: Source) -> Interface:
    """The interface that a definition is. Fails with each of its faults, on a line of its own."""
    try:
        return parse(source.text, source.name)
    except IdlSyntaxError as error:
        fail(str(error), REJECTED if source.is_given else BROKEN)
