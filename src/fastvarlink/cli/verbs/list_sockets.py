"""List the listening sockets that are marked as those of services.

They are the unix sockets in the file system whose file has the extended attribute user.varlink with the
value "entrypoint", wherever it is. Shown with each is whether this user may connect to it. Sockets have
such attributes since Linux 7.0.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from fastvarlink.cli.entrypoints import entrypoints, have_attributes, may_connect
from fastvarlink.cli.fault import FAILED, fail
from fastvarlink.cli.output import chosen_style, json_option, json_text, show
from fastvarlink.cli.table import show_table

EXAMPLES = ("varlink list-sockets", "varlink list-sockets --json=short")


def arguments(parser: ArgumentParser) -> None:
    """What list-sockets takes."""
    json_option(parser)


def run(args: Namespace) -> None:
    """Print one line for each socket."""
    if not have_attributes():
        fail(
            "This kernel keeps no attributes of sockets, so none is marked; Linux 7.0 is the first to.",
            FAILED,
        )
    sockets = [(path, "yes" if may_connect(path) else "no (EACCES)") for path in entrypoints()]
    if args.json not in (None, "off"):
        show(
            json_text([{"path": path, "access": access} for path, access in sockets], chosen_style(args.json))
        )
        return
    count = len(sockets)
    show_table(
        ("PATH", "ACCESS"),
        sockets,
        f"{count} socket{'s' if count > 1 else ''}." if count else "No sockets are marked.",
    )
