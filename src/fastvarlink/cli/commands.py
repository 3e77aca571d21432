"""The verbs call, help and info: what they ask, and how they print it."""

from __future__ import annotations

import json
import os
import shlex
import sys
from argparse import Namespace
from typing import Any

import fastvarlink
from fastvarlink.cli.fault import FAILED, MISUSED, fail, told

RESOLVER = "unix:/run/org.varlink.resolver"


def connect(args: Namespace, address: str | None, interface: str | None) -> fastvarlink.Client:
    """A client for the address, or else for what -A, -b or the resolver lead to.

    Fails when nothing says where the service is: no address, none of the options, no interface.
    """
    if address:
        with told(address):
            return fastvarlink.Client.new_with_address(address)
    for command, make in (
        (args.activate, fastvarlink.Client.new_with_activate),
        (args.bridge, fastvarlink.Client.new_with_bridge),
    ):
        if command:
            with told(command):
                return make(shlex.split(command))
    if interface is None:
        fail("Nothing says where the service is; give its address, or -A or -b COMMAND.", MISUSED)
    resolver = args.resolver or RESOLVER
    with told(f"The resolver {resolver}, which is asked because no address was given,"):
        return fastvarlink.Client.new_with_resolved_interface(interface, args.resolver)


def split_address(name: str) -> tuple[str | None, str]:
    """[ADDRESS/]INTERFACE as the address and the interface; an interface has no slash in it."""
    address, slash, interface = name.rpartition("/")
    return (address if slash else None), interface


def show(text: str) -> None:
    """Print at once, so that a stream is seen as it arrives. Ends quietly when nobody reads on."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        # What is still buffered for the reader who left must not fail once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(FAILED) from None


def as_text(parameters: Any) -> str:
    """Reply parameters as indented JSON."""
    return json.dumps(parameters, cls=fastvarlink.VarlinkEncoder, indent=2, sort_keys=True)


def varlink_call(args: Namespace) -> None:
    """Call args.METHOD, [ADDRESS/]INTERFACE.METHOD, with args.ARGUMENTS and print each reply.

    Uses args.more, args.activate, args.bridge and args.resolver. Exits with 1 when the call is
    answered with an error or the service cannot be reached, with 2 when it was asked wrongly.
    """
    qualified, dot, method = args.METHOD.rpartition(".")
    address, interface = split_address(qualified)
    if not dot or not interface or not method:
        fail(
            f"{args.METHOD!r} names no method; write [ADDRESS/]INTERFACE.METHOD, "
            "as in unix:/run/service/org.example.Get.",
            MISUSED,
        )
    try:
        parameters = json.loads(args.ARGUMENTS or "{}")
    except ValueError as error:
        fail(f"The arguments {args.ARGUMENTS!r} are not JSON: {error}.", MISUSED)
    if not isinstance(parameters, dict):
        fail(f"The arguments {args.ARGUMENTS!r} are no JSON object; write them as {{...}}.", MISUSED)
    call: dict[str, Any] = {"method": f"{interface}.{method}", "parameters": parameters}
    if args.more:
        call["more"] = True
    with (
        connect(args, address, interface) as client,
        told(str(client)),
        client.open(interface) as connection,
    ):
        # Sent as it was written: it is the service that judges the arguments.
        connection._send_message(json.dumps(call).encode())
        more = True
        while more:
            reply, more = connection._next_varlink_message()
            show(as_text(reply))


def varlink_help(args: Namespace) -> None:
    """Print the description of args.INTERFACE, [ADDRESS/]INTERFACE."""
    address, interface = split_address(args.INTERFACE)
    with connect(args, address, interface) as client, told(str(client)):
        show(client.get_interface(interface).description)


def varlink_info(args: Namespace) -> None:
    """Print what the service at args.ADDRESS says of itself."""
    with connect(args, args.ADDRESS, None) as client, told(str(client)):
        client.get_interfaces()
        info = client.info
    for title in ("Vendor", "Product", "Version", "URL"):
        show(f"{title}: {info[title.lower()]}")
    show("Interfaces:")
    for name in info["interfaces"]:
        show(f"   {name}")
