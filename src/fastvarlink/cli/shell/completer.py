"""What a line of the shell may become, by what is known of the service."""

from __future__ import annotations

from collections.abc import Iterator

from fastvarlink.cli.completing.candidate import Candidate, summary
from fastvarlink.cli.completing.pairs import pairs
from fastvarlink.cli.shell.interpreter import COMMANDS
from fastvarlink.cli.shell.line import read_line
from fastvarlink.cli.shell.service import Service
from fastvarlink.idl.printer import method_in_line

__all__ = ["candidates", "signature"]


def candidates(text: str, service: Service) -> tuple[str, list[Candidate]]:
    """The word at the end of a text, and what it may become."""
    word = text.rsplit(maxsplit=1)[-1] if text and not text[-1].isspace() else ""
    return word, [
        each for each in _all(text[: len(text) - len(word)], word, service) if each.word.startswith(word)
    ]


def signature(text: str, service: Service) -> str:
    """What the method on a line takes and returns, or what the command does. Empty if there is neither."""
    line = read_line(text)
    if line.flag is None and line.verb in COMMANDS:
        takes, does = COMMANDS[line.verb]
        return f"{line.verb} {takes}: {does}"
    found = service.matching(line.verb) if line.verb else []
    return f"{found[0].interface.name}.{method_in_line(found[0].method)}" if len(found) == 1 else ""


def _all(before: str, word: str, service: Service) -> Iterator[Candidate]:
    line = read_line(before)
    names = [Candidate(name, summary(each.doc)) for name, each in service.known().items()]
    if not line.verb:
        if line.flag is None and not before.strip():
            yield from (Candidate(name, text) for name, (_, text) in COMMANDS.items())
        yield from _methods(word, service)
    elif line.flag is None and line.verb in ("use", "methods", "help") and not line.rest:
        yield from names
        if line.verb == "help":
            yield from _methods(word, service)
    elif line.flag is None and line.verb == "set":
        words = line.rest.split()
        options = ("pretty", "short") if words == ["json"] else () if words else ("json",)
        yield from map(Candidate, options)
    elif len(found := service.matching(line.verb)) == 1 and not line.rest.startswith("{"):
        yield from pairs(word, line.rest.split(), found[0].method, found[0].interface)


def _methods(word: str, service: Service) -> Iterator[Candidate]:
    found = service.methods()
    short = [each.method.name for each in found]
    for each in found:
        text = summary(each.method.doc)
        unique = short.count(each.method.name) == 1 or each.interface.name == service.used
        if unique:
            yield Candidate(each.method.name, text)
        if not unique or "." in word:
            yield Candidate(each.name, text)
