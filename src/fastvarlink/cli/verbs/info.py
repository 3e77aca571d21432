"""Print what a service says of itself."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from fastvarlink.cli.fault import told
from fastvarlink.cli.output import chosen_style, json_option, json_text, legible, show
from fastvarlink.cli.target import target_of, timeout_option, where_options

EXAMPLES = ("varlink info unix:/run/org.example.more", "varlink info --json=short unix:/run/org.example.more")


def arguments(parser: ArgumentParser) -> None:
    """What info takes."""
    parser.add_argument("address", metavar="ADDRESS", nargs="?", help="where the service is")
    json_option(parser)
    timeout_option(parser)
    where_options(parser)


def run(args: Namespace) -> int | None:
    """Ask, and print the answer."""
    with target_of(args, args.address, None) as target, target.session() as session, told(target.name):
        info = session.ask("org.varlink.service.GetInfo")
    if args.json not in (None, "off"):
        show(json_text(info, chosen_style(args.json)))
        return None
    for title in ("Vendor", "Product", "Version", "URL"):
        show(f"{title}: {legible(str(info.get(title.lower(), '')))}")
    show("Interfaces:")
    for name in info.get("interfaces", ()):
        show(f"   {legible(str(name))}")
    return None
