"""What services have: their interfaces, methods, and the parameters of these."""

from __future__ import annotations

import contextlib
from argparse import Namespace
from collections.abc import Iterator

from fastvarlink.cli.completing.candidate import Candidate, Files, summary
from fastvarlink.cli.completing.pairs import pairs
from fastvarlink.cli.completing.paths import addresses, is_service, registered
from fastvarlink.cli.definitions import ask_definition
from fastvarlink.cli.fault import MISUSED, told
from fastvarlink.cli.session import Session
from fastvarlink.cli.target import is_method, split_address, target_of
from fastvarlink.idl.tree import Interface, Method

__all__ = ["Services"]


class Services:
    """Those at addresses, and those that a resolver knows. Each answer may take ``patience`` seconds.

    SystemExit if a service cannot be asked.
    """

    def __init__(self, resolver: str | None, patience: float) -> None:
        self._resolver = resolver
        self._patience = patience

    def call(self, given: list[str], word: str) -> Iterator[Candidate | Files]:
        """A word of a call, [ADDRESS/]METHOD or ADDRESS METHOD and parameters, behind those given."""
        address: str | None = None
        if given and not is_method(split_address(given[0])[1]):
            address, given = given[0], given[1:]
        if not given:
            yield from self.names(word, address, methods=True, interfaces=False)
        elif word.startswith("@"):
            yield Files(behind=1)
        else:
            inline, name = split_address(given[0])
            interface, _, method = name.rpartition(".")
            definition = self._definition(inline or address, interface)
            for member in definition.members:
                if isinstance(member, Method) and member.name == method:
                    yield from pairs(word, given[1:], member, definition)

    def names(
        self, word: str, address: str | None, *, methods: bool, interfaces: bool
    ) -> Iterator[Candidate]:
        """Interfaces or methods or both, with the address in front unless that is a word of its own."""
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
                yield from self._of_service(None, list(registered()), word, "", methods, interfaces)
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
        if any(place is not None and not is_service(place) for place in (address, self._resolver)):
            raise SystemExit(MISUSED)
        where = Namespace(resolver=self._resolver, activate=None, bridge=None, timeout=self._patience)
        with target_of(where, address, interface) as target, target.session() as session, told(target.name):
            yield session
