"""Pass calls from stdin on to services, and their replies to stdout.

With an address, or -A or -b, all goes to that one service, and bytes are passed on as they come. Without,
each call goes to the service that the registry or the resolver knows for its interface. Over ssh that opens
the services of another machine: with -b 'ssh HOST varlink bridge', or at the address
'ssh-exec:HOST:varlink bridge'.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from fastvarlink.cli.fault import told
from fastvarlink.cli.target import target_of, where_options

EXAMPLES = ("echo '{}' | varlink bridge --connect unix:/run/org.example.more",)


def arguments(parser: ArgumentParser) -> None:
    """What bridge takes."""
    parser.add_argument(
        "-c", "--connect", metavar="ADDRESS", help="pass all on to this service, look for no other"
    )
    where_options(parser)


def run(args: Namespace) -> None:
    """Pass messages on between stdin, stdout and services until one side ends."""
    if args.connect or args.activate or args.bridge:
        from fastvarlink.cli.passing import pass_through

        with target_of(args, args.connect, None) as target, target.connect() as connection, told(target.name):
            pass_through(connection)
    else:
        from fastvarlink.cli.routing import Router

        Router(args.resolver).run()
