"""Print the definitions of a service's interfaces: of all, or of those that are named.

On a pipe a definition is what the service has, letter by letter, and can be kept in a file.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import Any

from fastvarlink.cli.definitions import ask_definition, ask_text
from fastvarlink.cli.fault import BROKEN, MISUSED, fail, say, told
from fastvarlink.cli.finding import is_interface
from fastvarlink.cli.output import chosen_style, json_option, json_text, legible, on_terminal, show
from fastvarlink.cli.session import Session
from fastvarlink.cli.target import split_place, target_of, timeout_option, where_options

EXAMPLES = (
    "varlink introspect unix:/run/org.example.more",
    "varlink introspect unix:/run/org.example.more/org.example.more",
    "varlink introspect -j unix:/run/org.example.more org.varlink.service",
)


def arguments(parser: ArgumentParser) -> None:
    """What introspect takes."""
    parser.add_argument(
        "words",
        metavar="ADDRESS [INTERFACE ...]",
        nargs="*",
        help="where the service is, and its interfaces; or [ADDRESS/]INTERFACE",
    )
    json_option(parser)
    parser.add_argument(
        "--ast", action="store_true", help="print what each definition declares, parsed, as JSON"
    )
    timeout_option(parser)
    where_options(parser)


def run(args: Namespace) -> int | None:
    """Ask, and print one definition after the other."""
    address, names = _split(args)
    with (
        target_of(args, address, names[0] if names else None) as target,
        target.session() as session,
        told(target.name),
    ):
        names = names or session.interfaces()
        if not args.ast and args.json in (None, "off"):
            return _print_texts(session, names)
        style = chosen_style(args.json)
        # Several are a JSON text sequence, as the replies of a call are.
        separator = "\x1e" if len(names) > 1 and not on_terminal() else ""
        for name in names:
            show(separator + json_text(_as_json(session, name, args.ast), style))
    return None


def _split(args: Namespace) -> tuple[str | None, list[str]]:
    """The address, and the names of interfaces."""
    if not args.words:
        return None, []
    first, *names = args.words
    address, interface = split_place(first)
    if interface is not None:
        names.insert(0, interface)
    for name in names:
        if not is_interface(name):
            fail(f"{name!r} is no name of an interface; write it like org.example.service.", MISUSED)
    return address, names


def _as_json(session: Session, name: str, parsed: bool) -> dict[str, Any]:
    if not parsed:
        return {"description": ask_text(session, name)}
    from fastvarlink.cli.tree_json import interface_json

    return interface_json(ask_definition(session, name))


def _print_texts(session: Session, names: list[str]) -> int | None:
    from fastvarlink.cli.highlight import show_definition
    from fastvarlink.idl.faults import IdlSyntaxError
    from fastvarlink.idl.parser import parse

    status = None
    for number, name in enumerate(names):
        if number:
            show("")
        text = ask_text(session, name)
        show_definition(text)
        try:
            parse(text)
        except IdlSyntaxError as error:
            first, *others = error.faults
            say(
                f"The definition of {legible(name)} cannot be understood: "
                f"line {first.line}, column {first.column}: {first.message}"
                + (f" There are {len(others)} more faults." if others else "")
            )
            status = BROKEN
    return status
