"""From the words of a command line to what the one that is being typed may become.

What an argument is, its metavar tells: FILE, FOLDER, ADDRESS, INTERFACE, METHOD and so on.
"""

from __future__ import annotations

from argparse import Action, ArgumentParser
from collections.abc import Iterator, Sequence

from fastvarlink.cli.completing.candidate import Candidate, Files, summary
from fastvarlink.cli.dispatch import parser_of, verb_module
from fastvarlink.cli.verbs import VERBS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fastvarlink.cli.completing.services import Services

__all__ = ["candidates"]

_FILES = {"FILE", "SCRIPT", "COMMAND", "PROGRAM", "PATH"}
_FOLDERS = {"FOLDER", "DIRECTORY"}
_DEFINITIONS = {"DEFINITION", "OLD", "NEW"}


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
            from fastvarlink.cli.completing.paths import addresses

            yield from addresses(word)
        elif kind == "VERB":
            yield from (Candidate(verb, text) for verbs in VERBS.values() for verb, text in verbs.items())
        elif kind in _DEFINITIONS and not word.startswith(("unix:", "tcp:")):
            yield Files()
        elif kind in _DEFINITIONS or "INTERFACE" in kind:
            yield from self._services().names(word, self._address(), methods="." in kind, interfaces=True)
        elif "METHOD" in kind:
            yield from self._services().call(self.given, word)

    def _services(self) -> Services:
        # Most keys are pressed for less than this.
        from fastvarlink.cli.completing.services import Services

        return Services(self.values.get("resolver"), self._patience)
