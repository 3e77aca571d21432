"""List the interfaces of a service."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from fastvarlink.cli.fault import told
from fastvarlink.cli.output import chosen_style, json_option, json_text, legible, show
from fastvarlink.cli.target import target_of, timeout_option, where_options

EXAMPLES = ("varlink list-interfaces unix:/run/org.example.more",)


def arguments(parser: ArgumentParser) -> None:
    """What list-interfaces takes."""
    parser.add_argument("address", metavar="ADDRESS", nargs="?", help="where the service is")
    json_option(parser)
    timeout_option(parser)
    where_options(parser)


def run(args: Namespace) -> None:
    """Ask, and print one name on each line."""
    with target_of(args, args.address, None) as target, target.session() as session, told(target.name):
        names = session.interfaces()
    if args.json not in (None, "off"):
        show(json_text(names, chosen_style(args.json)))
        return
    for name in names:
        show(legible(name))
