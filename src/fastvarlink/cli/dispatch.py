"""From the words of a command line to the verb that they ask for."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from types import ModuleType

from fastvarlink.cli.fault import MISUSED, fail
from fastvarlink.cli.verbs import ALIASES, HIDDEN, VERBS

__all__ = ["parser_of", "run", "verb_module"]

_SHOWN = {verb for group in VERBS.values() for verb in group}
_KNOWN = _SHOWN | HIDDEN


class _Help(argparse.RawDescriptionHelpFormatter):
    """Help as wide as the terminal. argparse would import half a dozen modules to learn that."""

    def __init__(self, prog: str) -> None:
        from fastvarlink.cli.output import columns

        super().__init__(prog, width=columns() - 2)


class _Parser(argparse.ArgumentParser):
    """A parser that says in a sentence what is wrong, and how to learn more."""

    def error(self, message: str) -> None:  # type: ignore[override]
        fail(
            f"{self.prog}: {message[:1].upper()}{message[1:]}. '{self.prog} --help' tells what it takes.",
            MISUSED,
        )


def run(given: list[str]) -> int:
    """Run the verb that the words ask for. Returns the exit status; a failed verb raises SystemExit."""
    # Options may stand before their verb, as with the tools that came before.
    at = next((i for i, word in enumerate(given) if word in _KNOWN or word in ALIASES), None)
    if at is not None and all(_may_lead(given, i) for i in range(at)):
        verb = ALIASES.get(given[at], given[at])
        return _run_verb(verb, given[:at] + given[at + 1 :])
    if not given:
        sys.stderr.write(_overview())
        return MISUSED
    if given[0] in ("-h", "--help"):
        from fastvarlink.cli.output import show

        show(_overview(), end="")
        return 0
    if given[0] == "--version":
        from fastvarlink.cli.output import show

        show(f"varlink, of fastvarlink {_version()}")
        return 0
    return _guess(given)


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("fastvarlink")
    except PackageNotFoundError:
        return "that is not installed"


def _may_lead(given: list[str], index: int) -> bool:
    """Whether a word can stand before the verb: an option, or the value of one."""
    return given[index].startswith("-") or (index > 0 and given[index - 1].startswith("-"))


def verb_module(verb: str) -> ModuleType:
    """The module that is a verb."""
    return import_module(f"fastvarlink.cli.verbs.{verb.replace('-', '_')}")


def parser_of(verb: str, module: ModuleType) -> argparse.ArgumentParser:
    """What parses the words of a verb, unless its module takes them raw."""
    parser = _Parser(
        prog=f"varlink {verb}",
        description=module.__doc__,
        epilog="examples:\n" + "".join(f"  {example}\n" for example in module.EXAMPLES),
        formatter_class=_Help,
        allow_abbrev=False,
    )
    module.arguments(parser)
    return parser


def _run_verb(verb: str, words: list[str]) -> int:
    module = verb_module(verb)
    raw = getattr(module, "run_raw", None)
    if raw is not None:
        # What follows is not ours to parse.
        return raw(words) or 0
    parser = parser_of(verb, module)
    words, rest = _split(words)
    args = parser.parse_intermixed_args(words)
    args.rest = rest
    if rest is not None and not getattr(module, "TAKES_REST", False):
        parser.error(f"nothing can follow '--', and {' '.join(rest)!r} does")
    return module.run(args) or 0


def _split(words: list[str]) -> tuple[list[str], list[str] | None]:
    """The words before and behind the first ``--``."""
    if "--" not in words:
        return words, None
    at = words.index("--")
    return words[:at], words[at + 1 :]


def _guess(given: list[str]) -> int:
    """The first word is no verb. An interface or MODULE:SERVICE is to be served."""
    word = given[0]
    if not word.startswith("-") and "serve" in _KNOWN and ("." in word or ":" in word) and "/" not in word:
        return _run_verb("serve", given)
    if word.startswith("-"):
        fail(f"varlink: There is no verb after {word!r}. 'varlink --help' lists them.", MISUSED)
    from fastvarlink.cli.members import near

    fail(f"varlink: There is no verb {word!r}{near(word, _SHOWN)} 'varlink --help' lists them.", MISUSED)


def _overview() -> str:
    lines = ["usage: varlink VERB ...", "", "Talk to Varlink services, write them and run them."]
    width = max(map(len, _SHOWN)) + 2
    for heading, verbs in VERBS.items():
        lines += ["", f"{heading}:", *(f"  {verb:{width}}{summary}" for verb, summary in verbs.items())]
    lines += ["", "'varlink VERB --help' tells what each takes. See also: --version.", ""]
    return "\n".join(lines)
