"""Call a method and print the replies.

The parameters are one word of JSON; - for JSON from stdin; @FILE for JSON in a file; or words by the types
of the method:

  KEY=VALUE       a string or a value of an enum as it stands, all else as JSON: n=3 loud=true 'at={"x": 1}'
  KEY=ELEMENT ... the elements of an array, one by one: tags=a tags=b; as a whole it is 'tags=["a", "b"]'
  KEY.KEY=VALUE   what is inside of a struct or a map: at.x=1 at.y=2
  KEY:=JSON       JSON as it stands, whatever the type: name:=null
  KEY=@FILE       the contents of a file; KEY:=@FILE for JSON as it stands

A reply goes to stdout as JSON: on a terminal indented and in colours, on a pipe on one line, with --more as a
JSON text sequence (RFC 7464) or with --lines each on a line of its own. An error goes to stderr, and the exit
status is 1.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import Any

from fastvarlink.cli.fault import MISUSED, fail, told
from fastvarlink.cli.output import json_option
from fastvarlink.cli.parameters import read_parameters
from fastvarlink.cli.replies import Printer
from fastvarlink.cli.session import Session
from fastvarlink.cli.target import is_method, split_address, target_of, timeout_option, where_options

EXAMPLES = (
    "varlink call unix:/run/org.example.more/org.example.more.Ping ping=hello",
    """varlink call unix:/run/org.example.more org.example.more.Ping '{"ping": "hello"}'""",
    "varlink call --more unix:/run/org.example.more/org.example.more.TestMore n=2",
    "varlink call --collect unix:/run/org.example.more/org.example.more.TestMore n=2",
    "varlink call --oneway unix:/run/org.example.more/org.example.more.Ping ping=hello",
    """varlink call --exec unix:/run/org.example.more/org.example.more.Ping ping=hello -- cat""",
    """echo '{"ping": "hello"}' | varlink call unix:/run/org.example.more/org.example.more.Ping -""",
    """echo '{"ping": "hello"}' | varlink call --batch unix:/run/org.example.more/org.example.more.Ping""",
)
TAKES_REST = True


def arguments(parser: ArgumentParser) -> None:
    """What call takes."""
    parser.usage = "varlink call [OPTION ...] [ADDRESS/]INTERFACE.METHOD [PARAMETERS]"
    parser.add_argument(
        "words",
        metavar="METHOD [PARAMETERS]",
        nargs="+",
        help="[ADDRESS/]INTERFACE.METHOD, or ADDRESS and INTERFACE.METHOD; then its parameters",
    )
    kind = parser.add_argument_group("what is asked for").add_mutually_exclusive_group()
    kind.add_argument("-m", "--more", action="store_true", help="more than one reply")
    kind.add_argument("-E", dest="endless", action="store_true", help="--more --timeout=infinity")
    kind.add_argument("--collect", action="store_true", help="--more, and all replies as one JSON array")
    kind.add_argument("--oneway", action="store_true", help="no reply")
    kind.add_argument(
        "--upgrade", action="store_true", help="after the reply, pass stdin and stdout on as they are"
    )
    kind.add_argument(
        "--batch",
        action="store_true",
        help="many calls: each line of stdin has the parameters of one or, where only the ADDRESS is given, "
        "a whole call; each reply is printed on a line, whole",
    )
    parser.add_argument(
        "--push-fd",
        metavar="FD",
        action="append",
        default=[],
        help="send this file descriptor, or file, along",
    )
    parser.add_argument(
        "--exec",
        action="store_true",
        help="run the command behind -- with the reply on its stdin, and file descriptors that came as those "
        "of $LISTEN_FDS; with --upgrade, stdin and stdout are the connection",
    )
    json_option(parser)
    parser.add_argument("--lines", action="store_true", help="each reply on one line, and nothing in between")
    parser.add_argument("-q", "--quiet", action="store_true", help="print no replies")
    parser.add_argument(
        "--graceful", metavar="ERROR", action="append", default=[], help="take this error for a success"
    )
    timeout_option(parser)
    where_options(parser)


def settings(**given: Any) -> Namespace:
    """Arguments as if they had been parsed, with the usual ones for all that is not given."""
    parser = ArgumentParser()
    arguments(parser)
    args = parser.parse_args(["METHOD"])
    args.rest = None
    vars(args).update(given)
    return args


def run(args: Namespace) -> int | None:
    """Make the call, or calls."""
    _check(args)
    if args.endless:
        args.more, args.timeout = True, None
    address, method, words = _split(args.words, args.batch)
    interface = None if method is None else method.rpartition(".")[0]
    with target_of(args, address, interface) as target:
        if args.batch:
            return _run_batch(args, target.name, target.connect(), method, words)
        assert method is not None
        with target.session() as session, told(target.name, method):
            return _run_one(args, target.name, session, method, words)
    return None


def _check(args: Namespace) -> None:
    """Fails if what was asked for does not go together."""
    if args.exec != (args.rest is not None) or args.rest == []:
        fail("varlink call: --exec and a command behind -- belong together; give both, or neither.", MISUSED)
    if args.exec and (args.more or args.endless or args.collect or args.oneway or args.batch):
        fail(
            "varlink call: --exec takes one reply; leave out --more, --collect, --oneway and --batch.",
            MISUSED,
        )
    if args.push_fd and (args.upgrade or args.batch):
        fail("varlink call: --push-fd goes with a plain call; leave out --upgrade and --batch.", MISUSED)


def _run_one(args: Namespace, whom: str, session: Session, method: str, words: list[str]) -> int | None:
    parameters = read_parameters(words, method, lambda: _definition(session, method))
    flag = next((name for name in ("oneway", "upgrade") if getattr(args, name)), None)
    if args.more or args.collect:
        flag = "more"
    descriptors = None
    if args.push_fd or args.exec:
        from fastvarlink.cli.descriptors import carried

        descriptors = carried(args.push_fd)
    session.send(method, parameters, flag, descriptors)
    if flag == "oneway":
        return None
    if not args.exec and not args.upgrade:
        printer = Printer(args, whom, method)
        for reply in session.replies():
            printer.take(reply)
        return printer.finish()
    reply = session.reply(descriptors)
    if reply.error is not None:
        return Printer(args, whom, method).refuse(reply)
    if args.exec:
        from fastvarlink.cli.chain import become

        become(args.rest, reply, session.leave() if args.upgrade else None, descriptors)
    from fastvarlink.cli.passing import pass_through

    with session.leave() as connection:
        pass_through(connection)
    return None


def _run_batch(
    args: Namespace, whom: str, connection: Any, method: str | None, words: list[str]
) -> int | None:
    from fastvarlink.cli.batch import Batch

    if words:
        fail(f"varlink call: With --batch the parameters come from stdin; {words[0]!r} is too much.", MISUSED)
    with connection, told(whom):
        return Batch(connection, method, args.graceful, args.timeout).run()


def _split(words: list[str], batch: bool) -> tuple[str | None, str | None, list[str]]:
    """The address, the method, and the words of its parameters. A batch may name its methods itself."""
    first, *rest = words
    if rest and is_method(rest[0]):
        return first, rest[0], rest[1:]
    address, method = split_address(first)
    if not is_method(method):
        if batch and not rest:
            return first, None, []
        fail(
            f"{first!r} names no method; write [ADDRESS/]INTERFACE.METHOD, "
            "as in unix:/run/service/org.example.service.Get.",
            MISUSED,
        )
    return address, method, rest


def _definition(session: Session, method: str) -> Any:
    from fastvarlink.cli.definitions import ask_definition

    return ask_definition(session, method.rpartition(".")[0])
