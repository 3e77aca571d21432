"""What the lines of a shell do."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import closing

from fastvarlink.cli.fault import FAILED, LEFT, MISUSED, explain, fail, told
from fastvarlink.cli.output import Style, coloured, json_text, legible, on_terminal, show
from fastvarlink.cli.parameters import from_text, read_parameters
from fastvarlink.cli.session import Reply
from fastvarlink.cli.shell.line import Line, read_line, words_of
from fastvarlink.cli.shell.reference import about_member
from fastvarlink.cli.shell.service import Service
from fastvarlink.cli.target import seconds
from fastvarlink.idl.printer import method_in_line

__all__ = ["COMMANDS", "Interpreter"]

#: What may stand at the beginning of a line beside methods: what follows it, and what it does.
COMMANDS = {
    "more": ("METHOD ...", "call a method that answers more than once; ctrl-C ends it"),
    "oneway": ("METHOD ...", "call a method that is not to answer"),
    "help": ("[INTERFACE | METHOD]", "tell what these are, or what can be written here"),
    "interfaces": ("", "list the interfaces of the service"),
    "methods": ("[INTERFACE]", "list its methods, or those of an interface"),
    "info": ("", "tell what the service says of itself"),
    "use": ("[INTERFACE]", "take methods from this interface first, or from any again"),
    "timeout": ("SECONDS", "limit how long each reply may take; infinity for no limit"),
    "set": ("json pretty|short", "choose how results are printed"),
    "exit": ("", "leave; ctrl-D does, too"),
}

_RED = "\x1b[31m"
_RESET = "\x1b[0m"


class Interpreter:
    """Does what lines say, with one service. ``style`` is the form of JSON."""

    def __init__(self, service: Service, style: Style) -> None:
        self.service = service
        self.style = style
        #: The exit status of the last line that failed.
        self.status = 0
        self._commands: dict[str, Callable[[str], None]] = {
            "help": self._help,
            "interfaces": self._interfaces,
            "methods": self._methods,
            "info": self._info,
            "use": self._use,
            "timeout": self._timeout,
            "set": self._set,
        }

    def run(self, text: str) -> bool:
        """Do what a line says. Returns whether to go on. A failure is told on stderr and remembered."""
        line = read_line(text)
        if line.verb in ("exit", "quit") and line.flag is None:
            return False
        try:
            self._run(line)
        except SystemExit as end:
            if end.code == LEFT:
                raise
            self.status = end.code if isinstance(end.code, int) else FAILED
        return True

    def _run(self, line: Line) -> None:
        if not line.verb:
            if line.flag is not None:
                fail(f"{line.flag} needs a method to call.", MISUSED)
            return
        if self.service.is_gone():
            self.service.forget()
            self.service.session()
            print("The service closed the connection; there is a new one.", file=sys.stderr)
        command = self._commands.get(line.verb) if line.flag is None else None
        if command is not None:
            command(line.rest)
        elif not line.verb.rpartition(".")[2][:1].isupper():
            fail(
                f"There is no command {line.verb!r}; 'help' lists them. Methods begin in upper case.", MISUSED
            )
        else:
            self._call(line)

    def _call(self, line: Line) -> None:
        method = self.service.method_name(line.verb)
        parameters = self._parameters(line.rest, method)
        with told(self.service.name), closing(self.service.call(method, parameters, line.flag)) as replies:
            for reply in replies:
                if reply.error is None:
                    show(json_text(reply.parameters, self.style))
                else:
                    self._failed(reply)

    def _parameters(self, rest: str, method: str) -> dict[str, object]:
        if rest.startswith(("{", "[")):
            return from_text(rest, "the line")
        words = words_of(rest)
        if words == ["-"]:
            fail("Parameters cannot come from stdin here; write {...}, key=value or @FILE.", MISUSED)
        return read_parameters(words, method, lambda: self.service.definition(method.rpartition(".")[0]))

    def _failed(self, reply: Reply) -> None:
        self.status = FAILED
        if not on_terminal():
            try:
                reply.check()
            except Exception as error:
                print(legible(explain(self.service.name, error)[0]), file=sys.stderr)
            return
        name = legible(reply.error or "")
        parameters = f" {json_text(reply.parameters, self.style)}" if reply.parameters else ""
        show(f"{_RED}{name}{_RESET}{parameters}" if coloured() else f"{name}{parameters}")

    # ---- commands

    def _help(self, rest: str) -> None:
        if not rest:
            show("METHOD [{JSON} | KEY=VALUE ...]")
            for name, (takes, text) in COMMANDS.items():
                show(f"{f'{name} {takes}':32}{text}")
            return
        if rest in COMMANDS:
            takes, text = COMMANDS[rest]
            show(f"{rest} {takes}".rstrip() + f": {text}")
            return
        if rest not in self._names():
            name = self.service.method_name(rest)
            interface, _, method = name.rpartition(".")
            show(legible(about_member(self.service.definition(interface), method)))
            return
        with told(self.service.name):
            show(legible(self.service.text(rest)), end="")

    def _names(self) -> list[str]:
        with told(self.service.name):
            return self.service.names()

    def _interfaces(self, rest: str) -> None:
        _nothing("interfaces", rest)
        for name in self._names():
            show(legible(name))

    def _methods(self, rest: str) -> None:
        if rest:
            self.service.definition(rest)
        self.service.described()
        for found in self.service.methods():
            if rest in ("", found.interface.name):
                show(legible(f"{found.interface.name}.{method_in_line(found.method)}"))

    def _info(self, rest: str) -> None:
        _nothing("info", rest)
        with told(self.service.name):
            show(json_text(self.service.ask("org.varlink.service.GetInfo"), self.style))

    def _use(self, rest: str) -> None:
        if rest and rest not in self._names():
            fail(f"The service has no interface {rest!r}; 'interfaces' lists them.", MISUSED)
        self.service.used = rest or None

    def _timeout(self, rest: str) -> None:
        try:
            if not rest:
                raise ValueError
            self.service.target.timeout = seconds(rest)
        except ValueError:
            fail("timeout needs a number of seconds, or infinity.", MISUSED)

    def _set(self, rest: str) -> None:
        match rest.split():
            case ["json", "pretty"]:
                self.style = "pretty"
            case ["json", "short"]:
                self.style = "short"
            case _:
                fail("What can be set is 'json pretty' and 'json short'.", MISUSED)


def _nothing(command: str, rest: str) -> None:
    if rest:
        fail(f"{command} takes nothing, and there is {rest!r} behind it.", MISUSED)
