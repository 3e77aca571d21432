"""List the services that are registered by their interfaces.

What is registered are sockets, or links to them, that have the name of an interface, in
/run/varlink/registry or, with --user, in $XDG_RUNTIME_DIR/varlink/registry.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace

from fastvarlink.cli.fault import MISUSED, UNREACHABLE, fail
from fastvarlink.cli.finding import REGISTRY, services, user_registry
from fastvarlink.cli.output import chosen_style, json_option, json_text, legible, show
from fastvarlink.cli.table import show_table

EXAMPLES = ("varlink list-registry", "varlink list-registry --json=short")


def arguments(parser: ArgumentParser) -> None:
    """What list-registry takes."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--system", action="store_true", help="services for all users, which is the default")
    which.add_argument("--user", action="store_true", help="services for this user")
    json_option(parser)


def run(args: Namespace) -> None:
    """Print one line for each service."""
    folder = user_registry() if args.user else REGISTRY
    if folder is None:
        fail("The registry of this user is not known: $XDG_RUNTIME_DIR is not set.", MISUSED)
    found = _found(folder)
    if args.json not in (None, "off"):
        rows = [{"interface": interface, "entrypoint": address} for interface, address in found]
        show(json_text(rows, chosen_style(args.json)))
        return
    count = len(found)
    show_table(
        ("INTERFACE", "ENTRYPOINT"),
        found,
        f"{count} registered service{'s' if count > 1 else ''}." if count else "No services are registered.",
    )


def _found(folder: str) -> list[tuple[str, str]]:
    found = []
    try:
        for name, address in services(folder):
            if address is not None:
                found.append((name, address))
            else:
                print(legible(f"'{folder}/{name}' leads to no socket and is left out."), file=sys.stderr)
    except OSError as error:
        fail(f"The registry {folder!r} cannot be read: {error.strerror}.", UNREACHABLE)
    return found
