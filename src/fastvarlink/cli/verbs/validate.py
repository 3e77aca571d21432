"""Find the faults of definitions: all of them, each with its place."""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator

from fastvarlink.cli.definitions import Source, definition_options, definitions_argument, read_sources
from fastvarlink.cli.fault import FAILED
from fastvarlink.cli.findings import Found, show_found
from fastvarlink.cli.highlight import show_definition
from fastvarlink.cli.output import json_option, legible, on_terminal, show
from fastvarlink.idl import faults, tree
from fastvarlink.idl.parser import parse
from fastvarlink.idl.printer import to_text

EXAMPLES = (
    "varlink validate org.example.more.varlink",
    "varlink validate --print unix:/run/org.example.more/org.example.more",
    "varlink validate --json=pretty org.example.more.varlink",
)


def arguments(parser: ArgumentParser) -> None:
    """What validate takes."""
    definitions_argument(parser)
    parser.add_argument("--print", action="store_true", help="print the definitions that have no fault")
    json_option(parser)
    definition_options(parser)


def run(args: Namespace) -> int | None:
    """Read them all, and print what was found."""
    found: list[Found] = []
    for source in read_sources(args, args.words):
        try:
            interface = parse(source.text, source.name)
        except faults.IdlSyntaxError as error:
            found += [Found(source.name, "error", fault) for fault in error.faults]
            continue
        found += _misnamed(source, interface)
        if args.json not in (None, "off"):
            continue
        if args.print:
            show_definition(to_text(interface))
        elif on_terminal():
            show(f"{legible(source.name)}: {interface.name} has no faults.")
    show_found(args, found)
    return FAILED if any(each.severity == "error" for each in found) else None


def _misnamed(source: Source, interface: tree.Interface) -> Iterator[Found]:
    """Those who look for an interface look for a file of its name."""
    name, ending = os.path.splitext(os.path.basename(source.name))
    if source.is_file and ending == ".varlink" and name != interface.name:
        text = source.text.decode() if isinstance(source.text, bytes) else source.text
        message = f"The file is called {name}{ending}, and holds the interface {interface.name}."
        hint = f"Call it {interface.name}.varlink."
        yield Found(source.name, "warning", faults.Source(text).fault(interface.at, message, hint))
