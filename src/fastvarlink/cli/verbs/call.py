"""Call a method and print the replies.

The parameters are one word of JSON; - for JSON from stdin; @FILE for JSON in a file; or words by the types
of the method:

  KEY=VALUE       a string or a value of an enum as it stands, all else as JSON: n=3 loud=true 'at={"x": 1}'
  KEY=ELEMENT ... the elements of an array, one by one: tags=a tags=b; as a whole it is 'tags=["a", "b"]'
  KEY.KEY=VALUE   what is inside of a struct or a map: at.x=1 at.y=2
  KEY:=JSON       JSON as it stands, whatever the type: name:=null
  KEY=@FILE       the contents of a file; KEY:=@FILE for JSON as it stands
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import Any

from fastvarlink.cli.fault import FAILED, MISUSED, explain, fail, told
from fastvarlink.cli.output import chosen_style, json_option, json_text, on_terminal, show
from fastvarlink.cli.parameters import read_parameters
from fastvarlink.cli.session import Reply, Session
from fastvarlink.cli.target import is_method, split_address, target_of, timeout_option, where_options

EXAMPLES = (
    "varlink call unix:/run/org.example.more/org.example.more.Ping ping=hello",
    """varlink call unix:/run/org.example.more org.example.more.Ping '{"ping": "hello"}'""",
    "varlink call --more unix:/run/org.example.more/org.example.more.TestMore n=2",
)
TAKES_REST = True


def arguments(parser: ArgumentParser) -> None:
    """What call takes."""
    parser.add_argument(
        "words",
        metavar="METHOD [PARAMETERS]",
        nargs="+",
        help="[ADDRESS/]INTERFACE.METHOD, or ADDRESS and INTERFACE.METHOD; then its parameters",
    )
    parser.add_argument("-m", "--more", action="store_true", help="ask for more than one reply")
    parser.add_argument("-E", dest="endless", action="store_true", help="--more --timeout=infinity")
    parser.add_argument("--collect", action="store_true", help="--more, and all replies as one JSON array")
    parser.add_argument("--lines", action="store_true", help="each reply on a line of its own, no JSON-SEQ")
    parser.add_argument("--oneway", action="store_true", help="ask for no reply")
    json_option(parser)
    parser.add_argument("-q", "--quiet", action="store_true", help="print no replies")
    parser.add_argument(
        "--graceful", metavar="ERROR", action="append", default=[], help="take this error for a success"
    )
    timeout_option(parser)
    where_options(parser)


def run(args: Namespace) -> int | None:
    """Make the call."""
    address, method, words = _split(args.words)
    if args.endless:
        args.more, args.timeout = True, None
    flag = "more" if args.more or args.collect else "oneway" if args.oneway else None
    interface = method.rpartition(".")[0]
    with target_of(args, address, interface) as target, target.session() as session, told(target.name):
        parameters = read_parameters(words, method, lambda: _definition(session, interface))
        session.send(method, parameters, flag)
        if flag == "oneway":
            return None
        return _print(args, target.name, session)
    return None


def settings(**given: Any) -> Namespace:
    """Arguments as if they had been parsed, with the usual ones for all that is not given."""
    parser = ArgumentParser()
    arguments(parser)
    args = parser.parse_args(["METHOD"])
    args.rest = None
    vars(args).update(given)
    return args


def _split(words: list[str]) -> tuple[str | None, str, list[str]]:
    """The address, the method, and the words of its parameters."""
    first, *rest = words
    if rest and is_method(rest[0]):
        return first, rest[0], rest[1:]
    address, method = split_address(first)
    if not is_method(method):
        fail(
            f"{first!r} names no method; write [ADDRESS/]INTERFACE.METHOD, "
            "as in unix:/run/service/org.example.service.Get.",
            MISUSED,
        )
    return address, method, rest


def _definition(session: Session, interface: str) -> Any:
    from fastvarlink.cli.definitions import ask_definition

    return ask_definition(session, interface)


def _print(args: Namespace, whom: str, session: Session) -> int | None:
    style = chosen_style(args.json)
    collected: list[dict[str, Any]] = []
    status = None
    separator = "\x1e" if args.more and not args.lines and not on_terminal() else ""
    for reply in session.replies():
        if reply.error is not None and reply.error not in args.graceful:
            status = _failed(whom, reply)
        elif args.collect:
            collected.append(reply.parameters)
        elif not args.quiet:
            show(separator + json_text(reply.parameters, style))
    if args.collect and not args.quiet and status is None:
        show(json_text(collected, style))
    return status


def _failed(whom: str, reply: Reply) -> int:
    try:
        reply.check()
    except Exception as error:
        sentence, status = explain(whom, error)
        fail(sentence, status)
    return FAILED
