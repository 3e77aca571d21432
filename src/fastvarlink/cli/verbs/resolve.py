"""Print the address of the service that has an interface.

The registry is asked first: the sockets in /run/varlink/registry, then those in
$XDG_RUNTIME_DIR/varlink/registry. Then the resolver; with --resolver it alone.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from fastvarlink.cli.fault import MISUSED, fail, told
from fastvarlink.cli.finding import RESOLVER, is_interface, locate
from fastvarlink.cli.output import legible, show
from fastvarlink.cli.target import timeout_option

EXAMPLES = ("varlink resolve org.example.more", "varlink resolve -r unix:/run/resolver org.example.more")


def arguments(parser: ArgumentParser) -> None:
    """What resolve takes."""
    parser.add_argument("interface", metavar="INTERFACE", help="the interface to look for")
    parser.add_argument(
        "-r", "--resolver", metavar="ADDRESS", help=f"ask this resolver alone; else also {RESOLVER}"
    )
    timeout_option(parser)


def run(args: Namespace) -> None:
    """Ask, and print the answer."""
    if not is_interface(args.interface):
        fail(f"{args.interface!r} is no interface; write its name, as in org.example.service.", MISUSED)
    with told(f"The resolver {args.resolver or RESOLVER}"):
        address = locate([args.interface], args.resolver, args.timeout)
    show(legible(address))
