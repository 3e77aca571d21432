"""Print definitions in the one usual form, or write them back. Comments are kept, all of them."""

from __future__ import annotations

import re
from argparse import ArgumentParser, Namespace

from fastvarlink.cli.definitions import Source, definition_options, definitions_argument, parsed, read_sources
from fastvarlink.cli.fault import FAILED, MISUSED, fail
from fastvarlink.cli.highlight import show_definition
from fastvarlink.cli.output import Colour, legible, on_terminal, painted, show
from fastvarlink.cli.writing import print_text, write_file
from fastvarlink.idl.printer import to_text

EXAMPLES = (
    "varlink format org.example.more.varlink",
    "varlink format -i org.example.more.varlink",
    "varlink format --check org.example.more.varlink",
)


def arguments(parser: ArgumentParser) -> None:
    """What format takes."""
    definitions_argument(parser)
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument("-i", "--in-place", action="store_true", help="write the files that change")
    instead.add_argument(
        "--check", action="store_true", help="print the names of those that would change; status 1 if any"
    )
    instead.add_argument(
        "--diff", action="store_true", help="print what would change in them; status 1 if anything"
    )
    definition_options(parser)


def run(args: Namespace) -> int | None:
    """Read and format them all; only then write."""
    sources = read_sources(args, args.words)
    for source in sources:
        if args.in_place and not source.is_file:
            fail(f"{source.name!r} is no file, so that it cannot be written in place.", MISUSED)
    formatted = [(source, to_text(parsed(source))) for source in sources]
    if not (args.in_place or args.check or args.diff):
        for _, text in formatted:
            show_definition(text)
        return None
    changed = [(source, text) for source, text in formatted if _old(source) != text]
    for source, text in changed:
        if args.in_place:
            write_file(source.name, text)
        elif args.check:
            show(legible(source.name) if on_terminal() else source.name)
        else:
            _show_changes(source, text)
    return FAILED if changed and not args.in_place else None


def _old(source: Source) -> str:
    return source.text.decode() if isinstance(source.text, bytes) else source.text


def _show_changes(source: Source, text: str) -> None:
    from difflib import unified_diff

    for line in unified_diff(_lines(_old(source)), _lines(text), source.name, source.name):
        if line.endswith("\n"):
            _show_line(line)
        else:
            _show_line(line + "\n\\ No newline at end of file\n")


def _lines(text: str) -> list[str]:
    # What str.splitlines() takes for line ends besides would tear lines apart.
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _show_line(line: str) -> None:
    colour: Colour | None = {"+": "green", "-": "red", "@": "cyan"}.get(line[0])  # type: ignore[assignment]
    if on_terminal() and colour is not None:
        show(painted(legible(line.removesuffix("\n")), colour))
    else:
        print_text(line)
