"""Print the documentation of an interface or a method."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from fastvarlink.cli.definitions import ask_text
from fastvarlink.cli.fault import told
from fastvarlink.cli.output import legible, show
from fastvarlink.cli.target import split_address, target_of, timeout_option, where_options

EXAMPLES = ("varlink help unix:/run/org.example.more/org.example.more",)


def arguments(parser: ArgumentParser) -> None:
    """What help takes."""
    parser.add_argument("what", metavar="INTERFACE", help="[ADDRESS/]INTERFACE")
    timeout_option(parser)
    where_options(parser)


def run(args: Namespace) -> int | None:
    """Ask, and print the answer."""
    address, interface = split_address(args.what)
    with target_of(args, address, interface) as target, target.session() as session, told(target.name):
        show(legible(ask_text(session, interface)))
    return None
