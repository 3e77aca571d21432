"""List the methods of a service, or of some of its interfaces."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from fastvarlink.cli.definitions import ask_definition
from fastvarlink.cli.fault import told
from fastvarlink.cli.output import chosen_style, json_option, json_text, show
from fastvarlink.cli.target import target_of, timeout_option, where_options
from fastvarlink.idl.tree import Method

EXAMPLES = (
    "varlink list-methods unix:/run/org.example.more",
    "varlink list-methods unix:/run/org.example.more org.example.more",
)


def arguments(parser: ArgumentParser) -> None:
    """What list-methods takes."""
    parser.add_argument("address", metavar="ADDRESS", help="where the service is")
    parser.add_argument("interfaces", metavar="INTERFACE", nargs="*", help="only the methods of these")
    json_option(parser)
    timeout_option(parser)
    where_options(parser)


def run(args: Namespace) -> None:
    """Ask, and print one method with its interface on each line."""
    with target_of(args, args.address, None) as target, target.session() as session, told(target.name):
        names = args.interfaces or session.interfaces()
        interfaces = [ask_definition(session, name) for name in names]
    methods = [
        f"{interface.name}.{member.name}"
        for interface in interfaces
        for member in interface.members
        if isinstance(member, Method)
    ]
    if args.json not in (None, "off"):
        show(json_text(methods, chosen_style(args.json)))
        return
    for method in methods:
        show(method)
