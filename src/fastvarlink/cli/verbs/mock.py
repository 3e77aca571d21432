"""Serve interfaces of which there is only the definition: with example data, made from the types.

The data is the same each time. Calls are checked as by any service; those with --more get several replies.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from fastvarlink.cli.definitions import parsed, read_source
from fastvarlink.cli.fault import MISUSED, fail
from fastvarlink.cli.mocking import Mock
from fastvarlink.cli.numbers import span
from fastvarlink.cli.serving.program import listening_options, serve_as_told

EXAMPLES = (
    "varlink mock org.example.more.varlink --address unix:/run/org.example.mock",
    "varlink mock org.example.more.varlink --error TestMore=TestMoreError --address tcp:127.0.0.1:8080",
    """varlink mock org.example.more.varlink --reply 'Ping={"pong": "hello"}' --address tcp:127.0.0.1:8080""",
)


def arguments(parser: ArgumentParser) -> None:
    """What mock takes."""
    parser.add_argument(
        "definitions",
        metavar="FILE.varlink",
        nargs="+",
        help="the definition, - for stdin, or [ADDRESS/]INTERFACE of a running service",
    )
    parser.add_argument(
        "--replies", metavar="N", type=int, default=3, help="how many replies a call with 'more' gets (3)"
    )
    parser.add_argument(
        "--reply",
        metavar="METHOD=JSON",
        action="append",
        default=[],
        help="answer with this object, or @FILE; a call with 'more' gets each one of an array",
    )
    parser.add_argument(
        "--error",
        metavar="METHOD=ERROR",
        action="append",
        default=[],
        help="answer with this error, with example parameters",
    )
    parser.add_argument("--delay", metavar="SECONDS", type=span, default=0.0, help="wait before each reply")
    listening_options(parser)


def run(args: Namespace) -> None:
    """Serve until a signal ends it."""
    if args.replies < 1:
        fail(f"--replies is {args.replies}: a call has one reply at least.", MISUSED)
    where = Namespace(activate=None, bridge=None, resolver=None, timeout=None)
    mock = Mock(args.replies, args.delay)
    for word in args.definitions:
        source = read_source(where, word)
        mock.add(parsed(source), source.text)
    for word in args.reply:
        mock.answer(word)
    for word in args.error:
        mock.refuse(word)
    service = mock.service()
    serve_as_told(args, lambda: service)
