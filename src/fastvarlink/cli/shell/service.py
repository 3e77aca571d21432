"""The service of a shell: connected when it is needed, and what it says of itself."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from typing import Any, NamedTuple

from fastvarlink.cli.fault import BROKEN, MISUSED, fail, told
from fastvarlink.cli.session import Reply, Session
from fastvarlink.cli.target import Target, is_method
from fastvarlink.error import VarlinkError
from fastvarlink.idl.faults import IdlSyntaxError
from fastvarlink.idl.parser import parse
from fastvarlink.idl.tree import Interface, Method

__all__ = ["FoundMethod", "Service"]


class FoundMethod(NamedTuple):
    """A method and the interface that has it."""

    method: Method
    interface: Interface

    @property
    def name(self) -> str:
        return f"{self.interface.name}.{self.method.name}"


class Service:
    """A service by its target. ``used`` is the interface whose methods go before others of their name."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.used: str | None = None
        self._session: Session | None = None
        self._asked = False
        self._described: dict[str, Interface] | None = None
        self._texts: dict[str, str] = {}

    @property
    def name(self) -> str:
        """How to call it in a sentence."""
        return self.target.name

    def close(self) -> None:
        """Close the connection. The next call makes a new one."""
        if self._session is not None:
            self._session.__exit__()
            self._session = None

    def is_gone(self) -> bool:
        """Whether the service has closed the connection since the last call."""
        return self._session is not None and self._session.is_over()

    def forget(self) -> None:
        """Close the connection, and ask anew what is offered: another service may be there now."""
        self.close()
        self._asked = False
        self._described = None
        self._texts.clear()

    def session(self) -> Session:
        """The connection, made if there is none. Fails with a sentence."""
        if self._session is None:
            self._session = self.target.session()
        self._session.timeout = self.target.timeout
        return self._session

    def call(self, method: str, parameters: dict[str, Any], flag: str | None) -> Generator[Reply]:
        """Make a call and give out its replies. A connection that does not come to their end is closed."""
        session = self.session()
        done = False
        try:
            session.send(method, parameters, flag)
            if flag != "oneway":
                yield from session.replies()
            done = True
        finally:
            if not done:
                self.close()

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """The result of a call. Raises VarlinkError for an error."""
        (reply,) = self.call(method, parameters, None)
        return reply.check()

    def names(self) -> list[str]:
        """The names of the interfaces."""
        return [str(name) for name in self.ask("org.varlink.service.GetInfo").get("interfaces", ())]

    def text(self, interface: str) -> str:
        """How the service describes an interface. Raises VarlinkError if it does not."""
        if interface not in self._texts:
            answer = self.ask("org.varlink.service.GetInterfaceDescription", interface=interface)
            text = answer.get("description")
            if not isinstance(text, str):
                fail(f"{self.name} does not describe {interface}: its answer has no description.", BROKEN)
            self._texts[interface] = text
        return self._texts[interface]

    def definition(self, interface: str) -> Interface:
        """An interface. Fails with a sentence if it is not described, or cannot be understood."""
        with told(self.name):
            return parse(self.text(interface), interface)

    def described(self) -> dict[str, Interface]:
        """All interfaces that the service describes and that can be understood, by their names."""
        if self._described is None:
            described = {}
            with told(self.name):
                for name in self.names():
                    try:
                        described[name] = parse(self.text(name), name)
                    except (VarlinkError, IdlSyntaxError):
                        continue
            self._described = described
        return self._described

    def learn(self, patience: float) -> None:
        """Ask what the service offers, once for each connection, with so many seconds for each answer.

        A failure is told on stderr, and is no other harm: nothing is known then.
        """
        if self._asked or self._session is None:
            return
        self._asked = True
        timeout = self.target.timeout
        self.target.timeout = min(patience, timeout or patience)
        try:
            with contextlib.suppress(SystemExit):
                self.described()
        finally:
            self.target.timeout = timeout

    def known(self) -> dict[str, Interface]:
        """Likewise, as far as they have been asked for."""
        return self._described or {}

    def methods(self) -> list[FoundMethod]:
        """The methods of all interfaces that are known."""
        return [
            FoundMethod(member, interface)
            for interface in self.known().values()
            for member in interface.members
            if isinstance(member, Method)
        ]

    def matching(self, word: str) -> list[FoundMethod]:
        """The methods that a word may mean: by their names, or the end of their whole names."""
        found = [each for each in self.methods() if f".{each.name}".endswith(f".{word}")]
        used = [each for each in found if each.interface.name == self.used]
        return used if len(used) == 1 else found

    def method_name(self, word: str) -> str:
        """The whole name of the method that a word means. Fails with a sentence."""
        if not is_method(word):
            self.described()
        found = self.matching(word)
        if len(found) == 1:
            return found[0].name
        if is_method(word):
            # What is not described can be called all the same.
            return word
        if found:
            fail(f"{word!r} may be {' or '.join(each.name for each in found)}; write more of it.", MISUSED)
        from difflib import get_close_matches

        names = {each.method.name for each in self.methods()}
        near = get_close_matches(word, sorted(names), 1)
        hint = f"Did you mean {near[0]!r}?" if near else "'methods' lists those that there are."
        fail(f"The service has no method {word!r}. {hint}", MISUSED)
