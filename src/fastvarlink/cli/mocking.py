"""A service that only pretends: its methods answer with example data, as they were told to, or by errors."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from fastvarlink.cli.fault import MISUSED, REJECTED, fail
from fastvarlink.cli.sample import sample
from fastvarlink.error import Error as FastvarlinkError
from fastvarlink.error import VarlinkError
from fastvarlink.idl.checkers import Checkers
from fastvarlink.idl.tree import Error, Interface, Method
from fastvarlink.service import Service

__all__ = ["Mock"]


class Mocked(NamedTuple):
    """A method, and where it is declared."""

    interface: Interface
    method: Method


class Mock:
    """Interfaces, and how their methods answer.

    ``replies`` is how many a call with ``more`` gets, ``delay`` how many seconds pass before each.
    """

    def __init__(self, replies: int, delay: float) -> None:
        self._delay = delay
        self._number = replies
        self._texts: dict[str, str] = {}
        self._interfaces: list[Interface] = []
        # By the full names of the methods.
        self._methods: dict[str, Mocked] = {}
        self._replies: dict[str, list[dict[str, Any]]] = {}
        self._errors: dict[str, dict[str, Any]] = {}

    def add(self, interface: Interface, text: str | bytes) -> None:
        """Serve an interface, too. Fails if it is there already, or has a type that is too large."""
        if interface.name in self._texts or interface.name == "org.varlink.service":
            fail(f"{interface.name} is served already, and cannot be twice.", MISUSED)
        self._texts[interface.name] = text.decode() if isinstance(text, bytes) else text
        self._interfaces.append(interface)
        for member in interface.members:
            if isinstance(member, Method):
                name = f"{interface.name}.{member.name}"
                self._methods[name] = Mocked(interface, member)
                try:
                    self._replies[name] = [sample(interface, member.output)] * self._number
                except ValueError as error:
                    fail(f"{name} cannot be pretended: {error}", REJECTED)

    def answer(self, word: str) -> None:
        """Have a method answer as METHOD=JSON or METHOD=@FILE says. Fails if it cannot return that."""
        called, value = _pair(word, "METHOD=JSON or METHOD=@FILE")
        name = self._find(called)
        interface, method = self._methods[name]
        where = f"The reply of {name} in {value[1:]!r}" if value.startswith("@") else f"The reply of {name}"
        given = _json(value, where)
        replies = given if isinstance(given, list) else [given]
        if not replies:
            fail(f"{where} is an empty array: a call has one reply at least.", REJECTED)
        checker = Checkers(interface).of(method.output)
        declared = {field.name for field in method.output.fields}
        for reply in replies:
            try:
                checker.give(reply)
            except FastvarlinkError as error:
                fail(f"{where} does not fit its declaration: {error}", REJECTED)
            if unknown := set(reply) - declared:
                fail(f"{where} has {sorted(unknown)[0]!r}, which is not declared.", REJECTED)
        self._replies[name] = replies

    def refuse(self, word: str) -> None:
        """Have a method answer with an error, as METHOD=ERROR says. Fails if that is not declared."""
        called, error = _pair(word, "METHOD=ERROR")
        name = self._find(called)
        own = self._methods[name].interface.name
        wanted = error if "." in error else f"{own}.{error}"
        there = {
            f"{interface.name}.{member.name}": (interface, member)
            for interface in self._interfaces
            for member in interface.members
            if isinstance(member, Error)
        }
        if wanted not in there:
            fail(f"There is no error {error!r} for {name}{_instead(there)}", MISUSED)
        interface, declared = there[wanted]
        try:
            parameters = sample(interface, declared.type)
        except ValueError as reason:
            fail(f"{wanted} cannot be pretended: {reason}", REJECTED)
        self._errors[name] = {"error": wanted, "parameters": parameters}

    def service(self) -> Service:
        """All of it as a Service."""
        service = Service(product="Mock")
        for name, text in self._texts.items():
            handlers = {
                mocked.method.name: self._handler(full)
                for full, mocked in self._methods.items()
                if mocked.interface.name == name
            }
            service.interface(f"{text}\n")(type("Mocked", (), handlers))
        return service

    def _handler(self, name: str) -> Callable[..., Any]:
        replies, delay = self._replies[name], self._delay
        error = self._errors.get(name)

        def answer(_self: Any, *_: Any, _context: Any) -> Iterator[Any]:
            due = replies if _context.more and error is None else replies[:1]
            for number, reply in enumerate(due, 1):
                if delay:
                    _wait(_context, delay)
                if error is not None:
                    raise VarlinkError.new(error)
                yield {**reply, "_continues": True} if number < len(due) else reply

        return answer

    def _find(self, called: str) -> str:
        """The full name of a method that may be called by its last part. Fails if that is not one method."""
        found = [name for name in self._methods if called in (name, name.rpartition(".")[2])]
        if not found:
            fail(f"There is no method {called!r}{_instead(self._methods)}", MISUSED)
        if len(found) > 1:
            fail(f"{called!r} may be any of {', '.join(found)}: write which.", MISUSED)
        return found[0]


def _instead(there: Any) -> str:
    return f"; there are {', '.join(there)}." if there else "; none is declared."


def _pair(word: str, form: str) -> tuple[str, str]:
    called, equals, value = word.partition("=")
    if not called or not equals or not value:
        fail(f"{word!r} is not of the form {form}.", MISUSED)
    return called, value


def _json(value: str, where: str) -> Any:
    text: str | bytes = value
    if value.startswith("@"):
        try:
            with open(value[1:], "rb") as file:
                text = file.read()
        except OSError as error:
            fail(f"{where} cannot be read: {error.strerror}.", REJECTED)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        fail(f"{where} is not JSON: {error}.", REJECTED)


def _wait(context: Any, seconds: float) -> None:
    """Wait, unless nobody waits for the reply any more."""
    over = threading.Event()
    with context.on_end(over.set):
        over.wait(seconds)
