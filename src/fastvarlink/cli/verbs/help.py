"""Print the documentation of an interface, or of a method, type or error of one.

With the name of a verb, print what that takes; with nothing, the verbs that there are.
"""

from __future__ import annotations

import shlex
from argparse import ArgumentParser, Namespace

from fastvarlink.cli.definitions import ask_definition, ask_text
from fastvarlink.cli.dispatch import run as run_words
from fastvarlink.cli.fault import FAILED, MISUSED, fail, told
from fastvarlink.cli.finding import is_interface
from fastvarlink.cli.output import chosen_style, json_option, json_text, show
from fastvarlink.cli.session import Session
from fastvarlink.cli.target import (
    is_method,
    split_place,
    target_of,
    timeout_option,
    where_options,
)
from fastvarlink.cli.verbs import VERBS
from fastvarlink.idl import tree

EXAMPLES = (
    "varlink help unix:/run/org.example.more/org.example.more",
    "varlink help unix:/run/org.example.more/org.example.more.Ping",
    "varlink help unix:/run/org.example.more org.example.more.State",
    "varlink help call",
)


def arguments(parser: ArgumentParser) -> None:
    """What help takes."""
    parser.add_argument(
        "words",
        metavar="INTERFACE[.NAME] | VERB",
        nargs="*",
        help="[ADDRESS/]INTERFACE, or ADDRESS and INTERFACE; with .NAME for a method, type or error of it",
    )
    parser.add_argument("--text", action="store_true", help="print the definition as the service has it")
    json_option(parser)
    timeout_option(parser)
    where_options(parser)


def run(args: Namespace) -> int | None:
    """Ask, and print the answer."""
    if not args.words:
        return run_words(["--help"])
    if len(args.words) == 1 and any(args.words[0] in verbs for verbs in VERBS.values()):
        return run_words([args.words[0], "--help"])
    address, name = _split(args.words)
    owner = name.rpartition(".")[0] if is_method(name) else None
    with (
        target_of(args, address, name, owner) as target,
        target.session() as session,
        told(target.name),
    ):
        interface, member = _find(session, name, owner)
        if args.text:
            from fastvarlink.cli.highlight import show_definition

            show_definition(ask_text(session, interface))
            return None
        definition = ask_definition(session, interface)
    _print(args, address, definition, member)
    return None


def _split(words: list[str]) -> tuple[str | None, str]:
    """The address, and the interface or the member of one."""
    if len(words) > 2:
        fail(f"help takes one INTERFACE or INTERFACE.NAME, and {words[2]!r} is one word more.", MISUSED)
    if len(words) == 2:
        address, name = words
        if not is_interface(name):
            fail(f"{name!r} is no INTERFACE and no INTERFACE.NAME, like org.example.service.Get.", MISUSED)
        return address, name
    (word,) = words
    place, found = split_place(word)
    if found is not None:
        return place, found
    if "/" in word or ":" in word:
        fail(
            f"{word!r} is an address and names no interface; write {word}/INTERFACE. "
            f"'varlink list-interfaces {shlex.quote(word)}' tells which there are.",
            MISUSED,
        )
    from fastvarlink.cli.members import near

    verbs = [verb for group in VERBS.values() for verb in group]
    fail(f"{word!r} is neither a verb nor [ADDRESS/]INTERFACE{near(word, verbs)}", MISUSED)


def _find(session: Session, name: str, owner: str | None) -> tuple[str, str | None]:
    """The interface, and the member of it that is meant. Labels of interfaces may have capitals, too."""
    interfaces = session.interfaces()
    if name in interfaces:
        return name, None
    if owner in interfaces:
        return owner, name.rpartition(".")[2]
    from fastvarlink.cli.members import near

    fail(f"The service has no interface {owner or name!r}{near(owner or name, interfaces)}", FAILED)


def _print(args: Namespace, address: str | None, interface: tree.Interface, name: str | None) -> None:
    from fastvarlink.cli.members import member_of

    member = None if name is None else member_of(interface, name)
    if args.json not in (None, "off"):
        from fastvarlink.cli.tree_json import interface_json, member_json

        value = interface_json(interface) if member is None else member_json(member)
        show(json_text(value, chosen_style(args.json)))
        return
    from fastvarlink.cli.documentation import interface_page, member_page

    if member is None:
        command = _command(args, "help", address, f"{interface.name}.NAME")
        show(interface_page(interface, f"'{command}' tells more of each."))
        return
    example = _example(args, address, interface, member) if isinstance(member, tree.Method) else ""
    show(member_page(interface, member, example))


def _example(args: Namespace, address: str | None, interface: tree.Interface, method: tree.Method) -> str:
    """A call that can be pasted, with made-up values for what cannot be left out."""
    from fastvarlink.cli.pairs import to_pairs
    from fastvarlink.cli.sample import sample

    try:
        parameters = sample(interface, method.input, whole=False)
    except ValueError:
        return ""
    pairs = to_pairs(parameters, method.input, interface)
    command = _command(args, "call", address, f"{interface.name}.{method.name}")
    return " ".join([command, *map(shlex.quote, pairs)])


def _command(args: Namespace, verb: str, address: str | None, name: str) -> str:
    """The command line that asks the same service."""
    words = ["varlink", verb]
    if not address:
        options = {"-A": args.activate, "-b": args.bridge, "-r": args.resolver}
        words += [word for option, value in options.items() if value for word in (option, value)]
    return shlex.join([*words, f"{address}/{name}" if address else name])
