"""From the words of a command line to what the one that is being typed may become.

What an argument is, its metavar tells: FILE, FOLDER, ADDRESS, INTERFACE, METHOD and so on.
"""

from __future__ import annotations

import contextlib
from argparse import Action, ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from fastvarlink.cli.completing.candidate import Candidate, summary
from fastvarlink.cli.completing.pairs import pairs
from fastvarlink.cli.completing.paths import addresses, is_service, registered
from fastvarlink.cli.definitions import ask_definition
from fastvarlink.cli.fault import MISUSED, told
from fastvarlink.cli.main import parser_of, verb_module
from fastvarlink.cli.session import Session
from fastvarlink.cli.target import is_method, split_address, target_of
from fastvarlink.cli.verbs import VERBS
from fastvarlink.idl.tree import Interface, Method

__all__ = ["Files", "candidates"]

_FILES = {"FILE", "SCRIPT", "COMMAND", "PROGRAM", "PATH"}
_FOLDERS = {"FOLDER", "DIRECTORY"}
_DEFINITIONS = {"DEFINITION", "OLD", "NEW"}


class Files(NamedTuple):
    """The word becomes the path of a file, or of a folder only, behind so many characters of it."""

    behind: int = 0
    folders: bool = False


def candidates(words: Sequence[str], word: str, patience: float) -> Iterator[Candidate | Files]:
    """What ``word`` may become behind the other words, which do not include the name of the program.

    A service has ``patience`` seconds for each answer; SystemExit if it cannot be asked.
    """
    shown = {verb: text for verbs in VERBS.values() for verb, text in verbs.items()}
    at = next((i for i, each in enumerate(words) if each in shown), None)
    if at is None:
        yield from (Candidate(verb, text) for verb, text in shown.items())
        if word.startswith("-"):
            yield Candidate("--help", "show the verbs")
            yield Candidate("--version", "show the version")
        return
    module = verb_module(words[at])
    if hasattr(module, "run_raw"):
        yield Files()
        return
    line = _Line(parser_of(words[at], module), [*words[:at], *words[at + 1 :]], patience)
    yield from line.candidates(word)


class _Line:
    """The words behind a verb, told apart into options and others."""

    def __init__(self, parser: ArgumentParser, words: Sequence[str], patience: float) -> None:
        self.actions = parser._actions
        self._patience = patience
        self.given: list[str] = []
        self.values: dict[str, str] = {}
        self.rest = False
        #: The option whose value comes next.
        self.awaited: Action | None = None
        for word in words:
            self._take(word)

    def _take(self, word: str) -> None:
        if self.rest:
            return
        if self.awaited is not None:
            self.values[self.awaited.dest] = word
            self.awaited = None
        elif word == "--":
            self.rest = True
        elif word.startswith("-") and word != "-":
            name, equals, value = word.partition("=")
            action = self._option(name)
            if action is None:
                return
            self.values[action.dest] = value
            if action.nargs != 0 and not equals:
                self.awaited = action
        else:
            self.given.append(word)

    def _option(self, name: str) -> Action | None:
        return next((action for action in self.actions if name in action.option_strings), None)

    def candidates(self, word: str) -> Iterator[Candidate | Files]:
        """What a word at the end may become."""
        if self.rest:
            yield Files()
        elif self.awaited is not None:
            yield from self._values(self.awaited, word)
        elif word.startswith("-") and "=" in word:
            yield from self._value_in(word)
        elif word.startswith("-"):
            yield from self._options()
        elif (action := self._positional()) is not None:
            yield from self._values(action, word)

    def _options(self) -> Iterator[Candidate]:
        for action in self.actions:
            for name in action.option_strings:
                takes_value = action.nargs != 0
                sign = "=" if takes_value and name.startswith("--") else ""
                yield Candidate(name + sign, summary(action.help or ""), not sign)

    def _value_in(self, word: str) -> Iterator[Candidate | Files]:
        """The value of --OPTION=VALUE."""
        name, _, value = word.partition("=")
        action = self._option(name)
        if action is None:
            return
        for found in self._values(action, value):
            if isinstance(found, Files):
                yield found._replace(behind=found.behind + len(name) + 1)
            else:
                yield found._replace(word=f"{name}={found.word}")

    def _positional(self) -> Action | None:
        before = len(self.given)
        for action in self.actions:
            if action.option_strings:
                continue
            if action.nargs in ("*", "+") or before == 0:
                return action
            before -= 1
        return None

    def _address(self) -> str | None:
        """The address among the words that were given, if an argument of its own is one."""
        places = [action.metavar for action in self.actions if not action.option_strings]
        if "ADDRESS" in places and places.index("ADDRESS") < len(self.given):
            return self.given[places.index("ADDRESS")]
        return None

    def _values(self, action: Action, word: str) -> Iterator[Candidate | Files]:
        kind = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
        if action.choices is not None:
            yield from (Candidate(str(choice)) for choice in action.choices)
        elif kind in _FILES:
            yield Files()
        elif kind in _FOLDERS:
            yield Files(folders=True)
        elif kind == "ADDRESS":
            yield from addresses(word)
        elif kind == "VERB":
            yield from (Candidate(verb, text) for verbs in VERBS.values() for verb, text in verbs.items())
        elif kind in _DEFINITIONS and not word.startswith(("unix:", "tcp:")):
            yield Files()
        elif kind in _DEFINITIONS or "INTERFACE" in kind:
            yield from self._names(word, self._address(), methods="." in kind, interfaces=True)
        elif "METHOD" in kind:
            yield from self._call(word)

    def _call(self, word: str) -> Iterator[Candidate | Files]:
        """[ADDRESS/]METHOD or ADDRESS METHOD, and parameters."""
        given = self.given
        address: str | None = None
        if given and not is_method(split_address(given[0])[1]):
            address, given = given[0], given[1:]
        if not given:
            yield from self._names(word, address, methods=True, interfaces=False)
        elif word.startswith("@"):
            yield Files(behind=1)
        else:
            inline, name = split_address(given[0])
            interface, _, method = name.rpartition(".")
            definition = self._definition(inline or address, interface)
            for member in definition.members:
                if isinstance(member, Method) and member.name == method:
                    yield from pairs(word, given[1:], member, definition)

    def _names(
        self, word: str, address: str | None, *, methods: bool, interfaces: bool
    ) -> Iterator[Candidate]:
        """Interfaces and methods, with the address in front unless that is a word of its own."""
        before = ""
        if address is None:
            address, slash, rest = word.rpartition("/")
            if is_service(word):
                yield Candidate(f"{word}/", "", complete=False)
                return
            if not slash or not is_service(address):
                yield from addresses(word, tail="/")
                if slash:
                    return
                yield from self._of_service(None, registered(), word, "", methods, interfaces)
                return
            before, word = address + slash, rest
        with self._asking(address, None) as session:
            names = session.interfaces()
        yield from self._of_service(address, names, word, before, methods, interfaces)

    def _of_service(
        self,
        address: str | None,
        names: list[str],
        word: str,
        before: str,
        methods: bool,
        interfaces: bool,
    ) -> Iterator[Candidate]:
        begun = [name for name in names if methods and word.startswith(f"{name}.")]
        matching = [name for name in names if name.startswith(word)]
        if not begun and len(matching) == 1 and not interfaces:
            # There is no choice yet.
            begun = matching
        if not begun:
            dot = "" if interfaces else "."
            yield from (Candidate(f"{before}{name}{dot}", "", interfaces) for name in names)
        for name in begun:
            definition = self._definition(address, name)
            for member in definition.members:
                if isinstance(member, Method):
                    yield Candidate(f"{before}{name}.{member.name}", summary(member.doc))

    def _definition(self, address: str | None, interface: str) -> Interface:
        with self._asking(address, interface) as session:
            return ask_definition(session, interface)

    @contextlib.contextmanager
    def _asking(self, address: str | None, interface: str | None) -> Iterator[Session]:
        """A connection to a service, on which failures become SystemExit."""
        # What starts programs stays out: nobody expects that of a word that is not sent off yet.
        if address is not None and not is_service(address):
            raise SystemExit(MISUSED)
        where = Namespace(
            resolver=self.values.get("resolver"), activate=None, bridge=None, timeout=self._patience
        )
        with target_of(where, address, interface) as target, target.session() as session, told(target.name):
            yield session
