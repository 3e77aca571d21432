"""Where the service is: an address, a command that is or leads to it, or who knows it by its interface."""

from __future__ import annotations

import os
import re
import shlex
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from socket import socket
from typing import Self

from fastvarlink.address import parse
from fastvarlink.cli.fault import MISUSED, fail, told
from fastvarlink.cli.finding import RESOLVER, is_interface, locate
from fastvarlink.cli.session import Session
from fastvarlink.client.ways import SocketWay, Way, way_by_activation, way_by_bridge, way_to

__all__ = [
    "RESOLVER",
    "Target",
    "found_target",
    "is_method",
    "seconds",
    "split_address",
    "split_place",
    "target_of",
    "timeout_option",
    "where_options",
]

_METHOD = re.compile(r"[A-Za-z](?:-*[A-Za-z0-9])*(?:\.[A-Za-z0-9](?:-*[A-Za-z0-9])*)+\.[A-Z][A-Za-z0-9]*")


def where_options(parser: ArgumentParser) -> None:
    """Add the options that tell where the service is."""
    group = parser.add_argument_group("where the service is, if no address says it")
    group.add_argument("-r", "--resolver", metavar="ADDRESS", help=f"ask this resolver; else {RESOLVER}")
    group.add_argument(
        "-A",
        "--activate",
        metavar="COMMAND",
        help="start it by socket activation; it finds its address in $VARLINK_ADDRESS",
    )
    group.add_argument(
        "-b", "--bridge", metavar="COMMAND", help="talk through this command's stdin and stdout"
    )


def timeout_option(parser: ArgumentParser) -> None:
    """Add the option that limits how long it may take."""
    parser.add_argument(
        "--timeout", metavar="SECONDS", type=seconds, help="how long connecting, and each reply, may take"
    )


def seconds(text: str) -> float | None:
    """The seconds that an option says; None for no limit. ValueError makes argparse complain."""
    if text in ("", "infinity"):
        return None
    value = float(text)
    if not 0 < value < 1e9:
        raise ValueError(text)
    return value


def is_method(word: str) -> bool:
    """Whether this is a method with its interface, INTERFACE.METHOD, and nothing else."""
    return _METHOD.fullmatch(word) is not None


def split_address(name: str) -> tuple[str | None, str]:
    """[ADDRESS/]INTERFACE as the address and the interface; an interface has no slash in it."""
    address, slash, interface = name.rpartition("/")
    return (address if slash else None), interface


def split_place(name: str) -> tuple[str | None, str | None]:
    """ADDRESS or [ADDRESS/]INTERFACE as the address and the interface.

    The names of sockets often look like interfaces. What stands before the last slash is taken for the
    address unless it is a folder.
    """
    address, interface = split_address(name)
    if not is_interface(interface):
        return name, None
    if address is not None and os.path.isdir(address.partition(":")[2] or address or "/"):
        return name, None
    return address, interface


class Target:
    """Where a service is, for as many connections as are wanted. A context manager, as it may start programs.

    ``name`` is how to call it in a sentence.
    """

    def __init__(self, name: str, way: Way, timeout: float | None) -> None:
        self.name = name
        self.timeout = timeout
        self._way = way

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """End the programs that were started."""
        self._way.end()

    def connect(self) -> socket:
        """A new connection. Fails with a sentence."""
        with told(self.name):
            return self.dial()

    def dial(self) -> socket:
        """A new connection, for those who go on when there is none. OSError if nobody answers."""
        return self._way.open(self.timeout)

    def session(self) -> Session:
        """A session on a new connection."""
        return Session(self.connect(), self.timeout)


def target_of(
    args: Namespace, address: str | None, interface: str | None, otherwise: str | None = None
) -> Target:
    """The service at the address, or else where -A, -b, the registry or the resolver lead to.

    They are asked for the interface, and then for the other, if there is one and they do not know the first.
    Fails when nothing says where the service is: no address, none of the options, no interface.
    """
    timeout: float | None = getattr(args, "timeout", None)
    if address:
        with told(address):
            return Target(address, way_to(address), timeout)
    if args.activate or args.bridge:
        command = args.activate or args.bridge
        start = way_by_activation if args.activate else way_by_bridge
        with told(command):
            return Target(command, start(_words(command)), timeout)
    if interface is None:
        fail("Nothing says where the service is; give its address, or -A or -b COMMAND.", MISUSED)
    with told(f"The resolver {args.resolver or RESOLVER}, which is asked because no address was given,"):
        wanted = [interface] if otherwise is None else [interface, otherwise]
        return found_target(wanted, args.resolver, timeout)


def found_target(interfaces: Sequence[str], resolver: str | None, timeout: float | None) -> Target:
    """The service that the registry or a resolver knows for one of these. Raises what locate() does."""
    found = locate(interfaces, resolver, timeout)
    # What a resolver says must not have a program started here.
    way = way_to(found) if found == resolver else SocketWay(parse(found))
    return Target(found, way, timeout)


def _words(command: str) -> list[str]:
    try:
        words = shlex.split(command)
    except ValueError as error:
        fail(f"The command {command!r} cannot be split into words: {error}.", MISUSED)
    if not words:
        fail("The command to start is empty; write the program and its arguments.", MISUSED)
    return words
