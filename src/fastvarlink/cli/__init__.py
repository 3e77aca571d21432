"""The command line: ``varlink``, ``python -m fastvarlink``, ``python -m fastvarlink.cli``.

The verbs are those of the package ``varlink``, and ``exec``. Each is also a function that takes the
parsed arguments.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from fastvarlink.cli.bridge import varlink_bridge
from fastvarlink.cli.commands import varlink_call, varlink_help, varlink_info
from fastvarlink.cli.execute import execute
from fastvarlink.cli.fault import MISUSED

__all__ = ["main", "varlink_bridge", "varlink_call", "varlink_help", "varlink_info"]


def make_parser() -> argparse.ArgumentParser:
    """The parser of the command line. ``func`` of its result is the verb to run."""
    parser = argparse.ArgumentParser(prog="varlink", description="Talk to Varlink services.")
    parser.add_argument("-r", "--resolver", metavar="ADDRESS", help="address of the resolver")
    parser.add_argument(
        "-A",
        "--activate",
        metavar="COMMAND",
        help="start this service by socket activation and talk to it; "
        "it finds the address in $VARLINK_ADDRESS",
    )
    parser.add_argument(
        "-b", "--bridge", metavar="COMMAND", help="talk through this command's stdin and stdout"
    )
    verbs = parser.add_subparsers(title="commands", metavar="COMMAND")

    info = verbs.add_parser("info", help="print what a service says of itself")
    info.add_argument("ADDRESS", nargs="?")
    info.set_defaults(func=varlink_info)

    describe = verbs.add_parser("help", help="print the description of an interface")
    describe.add_argument("INTERFACE", help="[ADDRESS/]INTERFACE")
    describe.set_defaults(func=varlink_help)

    bridge = verbs.add_parser("bridge", help="pass calls from stdin on to services")
    bridge.add_argument(
        "-c", "--connect", metavar="ADDRESS", help="pass all on to this service, ask no resolver"
    )
    bridge.set_defaults(func=varlink_bridge)

    call = verbs.add_parser("call", help="call a method and print the replies")
    call.add_argument("-m", "--more", action="store_true", help="ask for more than one reply")
    call.add_argument("METHOD", help="[ADDRESS/]INTERFACE.METHOD")
    call.add_argument("ARGUMENTS", nargs="?", default="", help="the parameters as a JSON object")
    call.set_defaults(func=varlink_call)

    # Listed for --help alone: main() takes exec away before, as what follows is not ours to parse.
    verbs.add_parser("exec", help="run a program in which 'import varlink' means fastvarlink")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line. Returns the exit status; a failed verb raises SystemExit."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["exec"]:
        execute(given[1:])
        return 0
    parser = make_parser()
    args = parser.parse_args(given)
    if not hasattr(args, "func"):
        parser.print_usage(sys.stderr)
        return MISUSED
    try:
        args.func(args)
    except KeyboardInterrupt:
        # What a shell reports for a program that ctrl-C ended.
        return 130
    return 0
