"""Find what other implementations of Varlink refuse or misread, though the specification allows it."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from fastvarlink.cli.definitions import definition_options, definitions_argument, parsed, read_sources
from fastvarlink.cli.fault import FAILED
from fastvarlink.cli.findings import Found, show_found
from fastvarlink.cli.output import json_option
from fastvarlink.idl.linter import lint
from fastvarlink.idl.peers import DISPUTES, Peer

EXAMPLES = (
    "varlink lint org.example.more.varlink",
    "varlink lint --peer=systemd --ignore=one-value unix:/run/org.example.more/org.example.more",
)


def arguments(parser: ArgumentParser) -> None:
    """What lint takes."""
    definitions_argument(parser)
    parser.add_argument(
        "--peer",
        metavar="NAME",
        action="append",
        choices=[peer.value for peer in Peer],
        help="only what this one refuses or misreads: %(choices)s; may be repeated",
    )
    parser.add_argument(
        "--ignore",
        metavar="RULE",
        action="append",
        choices=[which.replace(" ", "-") for which in DISPUTES],
        default=[],
        help="leave out what has this name in brackets; may be repeated",
    )
    json_option(parser)
    definition_options(parser)


def run(args: Namespace) -> int | None:
    """Read them all, and print what was found."""
    peers = {Peer(name) for name in args.peer} if args.peer else set(Peer)
    found = []
    for source in read_sources(args, args.words):
        parsed(source)
        found += [
            Found(source.name, "warning", finding)
            for finding in lint(source.text)
            if finding.peers & peers and finding.rule not in args.ignore
        ]
    show_found(args, found)
    return FAILED if found else None
