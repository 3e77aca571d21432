"""Serve a service that a Python module has, or an interface that an installed package offers.

What is named is a Service, what returns one, or what declares an interface. With --upgrade a command is
served: its one method connects the caller with the command's stdin and stdout.
"""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace

from fastvarlink.cli.fault import MISUSED, fail
from fastvarlink.cli.serving.loading import CannotLoad, lead_path, load_services
from fastvarlink.cli.serving.program import listening_options, serve_as_told
from fastvarlink.service import Service

EXAMPLES = (
    "varlink serve more.py:service --address unix:/run/org.example.more",
    "varlink serve --reload -v package.module:service --address tcp:127.0.0.1:8080",
    "varlink io.example.user.UserService --address tcp:0.0.0.0:8080",
    "varlink serve --upgrade org.example.Unpack.XZ --address unix:/run/org.example.unpack -- xz -d",
)
TAKES_REST = True


def arguments(parser: ArgumentParser) -> None:
    """What serve takes."""
    parser.add_argument(
        "services",
        metavar="MODULE:SERVICE | INTERFACE",
        nargs="*",
        help="what to serve; FILE.py:SERVICE names a file. An interface is looked up among the entry points "
        "of the group fastvarlink.services",
    )
    listening_options(parser)
    parser.add_argument(
        "--reload", action="store_true", help="load it anew when its modules or definitions change"
    )
    parser.add_argument(
        "--upgrade", metavar="METHOD", help="serve the command behind --, one process for each call"
    )


def run(args: Namespace) -> None:
    """Serve until a signal ends it."""
    if args.upgrade is not None:
        _serve_command(args)
        return
    if args.rest is not None:
        fail("What follows '--' is a command for --upgrade METHOD, which is missing.", MISUSED)
    if not args.services:
        fail("Nothing is to be served: name MODULE:SERVICE, FILE.py:SERVICE or an interface.", MISUSED)
    lead_path(os.getcwd())

    def load() -> Service:
        return load_services(args.services)

    if not args.reload:
        serve_as_told(args, load)
        return
    if args.workers > 1:
        fail("--reload is for development, and serves with one process: leave out --workers.", MISUSED)
    from fastvarlink.cli.serving.reloading import reloading

    serve_as_told(args, reloading(load), supervised=True)


def _serve_command(args: Namespace) -> None:
    from fastvarlink.cli.serving.upgrading import command_service

    if args.services:
        fail(f"--upgrade serves a command and nothing else: {args.services[0]!r} is too much.", MISUSED)
    if not args.rest:
        fail("--upgrade needs a command to run: write it behind '--'.", MISUSED)
    if args.reload:
        fail("--reload is for services of Python: a command is started anew for each call.", MISUSED)
    if "-" in args.address:
        fail("--upgrade serves sockets, as a command gets the connection itself: '-' is none.", MISUSED)
    try:
        service = command_service(args.upgrade, args.rest)
    except CannotLoad as error:
        fail(str(error), MISUSED)
    serve_as_told(args, lambda: service)
