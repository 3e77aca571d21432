"""The verb bridge: calls on stdin go to services of this machine, their replies to stdout.

With an address, or -A or -b, everything goes to that one service, and bytes are passed on as they
come. Without, each call's interface decides, which the resolver looks up.
"""

from __future__ import annotations

import json
import os
import selectors
import socket
import stat
import sys
from argparse import ArgumentParser, Namespace
from typing import Any

import fastvarlink
from fastvarlink._core.framing import FrameReader, frame_of
from fastvarlink.cli.fault import fail, told
from fastvarlink.cli.target import RESOLVER, target_of, where_options
from fastvarlink.error import ProtocolError
from fastvarlink.limits import Limits

CHUNK = 65536


EXAMPLES = ("echo '{}' | varlink bridge --connect unix:/run/org.example.more",)


def arguments(parser: ArgumentParser) -> None:
    """What bridge takes."""
    parser.add_argument(
        "-c", "--connect", metavar="ADDRESS", help="pass all on to this service, ask no resolver"
    )
    where_options(parser)


def run(args: Namespace) -> None:
    """Pass messages on between stdin, stdout and a service until either side ends."""
    if args.connect or args.activate or args.bridge:
        with target_of(args, args.connect, None) as target, target.connect() as connection, told(target.name):
            pass_through(connection)
    else:
        Router(args.resolver).run()


def pass_through(connection: socket.socket) -> None:
    """Copy stdin to the connection and the connection to stdout until the service ends.

    The end of stdin is passed on as a half-close, so that replies under way still arrive.
    """
    stdin, stdout = sys.stdin.fileno(), sys.stdout.fileno()
    with selectors.DefaultSelector() as selector:
        selector.register(connection, selectors.EVENT_READ)
        try:
            selector.register(stdin, selectors.EVENT_READ)
        except PermissionError:
            # epoll takes no regular file; one is always ready.
            send_whole_file(stdin, connection)
        while True:
            for key, _ in selector.select():
                if key.fileobj is connection:
                    data = received(connection)
                    if not data:
                        return
                    write_whole(stdout, data)
                else:
                    data = read(stdin)
                    if data:
                        connection.sendall(data)
                    else:
                        selector.unregister(stdin)
                        connection.shutdown(socket.SHUT_WR)


def send_whole_file(source: int, connection: socket.socket) -> None:
    while data := os.read(source, CHUNK):
        connection.sendall(data)
    connection.shutdown(socket.SHUT_WR)


def received(connection: socket.socket) -> bytes:
    """What has arrived. Fails where file descriptors came along, which cannot be passed on (rule D4)."""
    if connection.family != socket.AF_UNIX:
        return connection.recv(CHUNK)
    # With room for the header only: the system keeps the descriptors, and tells.
    data, _, flags, _ = connection.recvmsg(CHUNK, socket.CMSG_LEN(0))
    if flags & socket.MSG_CTRUNC:
        fail("A message came with file descriptors, which a bridge cannot pass on.")
    return data


def read(fd: int) -> bytes:
    """What has arrived at a descriptor, which may be a socket."""
    if not stat.S_ISSOCK(os.fstat(fd).st_mode):
        return os.read(fd, CHUNK)
    endpoint = socket.socket(fileno=fd)
    try:
        return received(endpoint)
    finally:
        endpoint.detach()


def write_whole(target: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(target, view) :]


class Router:
    """Sends each call to the service that has its interface, one call after the other."""

    def __init__(self, resolver: str | None) -> None:
        self._resolver = resolver
        self._client: fastvarlink.Client | None = None
        self._connection: socket.socket | None = None
        self._interface: str | None = None
        self._replies = FrameReader(Limits().max_message_size)

    def run(self) -> None:
        calls = FrameReader(Limits().max_message_size)
        try:
            while data := read(sys.stdin.fileno()):
                calls.receive(data)
                while (message := whole(calls)) is not None:
                    if self._route(message):
                        self._hand_over(calls.rest())
                        return
        finally:
            self._disconnect()

    def _route(self, message: bytes) -> bool:
        """Pass one call on and its replies back. True when it was an upgrade that took place."""
        call = parsed(message, "stdin")
        target, message = readdressed(call, message)
        try:
            connection = self._connected(target)
        except fastvarlink.VarlinkError as error:
            if not call.get("oneway"):
                reply = json.dumps(error, cls=fastvarlink.VarlinkEncoder).encode()
                write_whole(sys.stdout.fileno(), frame_of(reply))
            return False
        with told(target):
            connection.sendall(frame_of(message))
            if call.get("oneway"):
                return False
            while True:
                raw = self._next_reply(connection, target)
                write_whole(sys.stdout.fileno(), frame_of(raw))
                answer = parsed(raw, target)
                if not answer.get("continues"):
                    return bool(call.get("upgrade")) and answer.get("error") is None

    def _next_reply(self, connection: socket.socket, target: str) -> bytes:
        while (raw := whole(self._replies)) is None:
            data = received(connection)
            if not data:
                fail(f"The service of {target} closed the connection before it had answered.")
            self._replies.receive(data)
        return raw

    def _connected(self, interface: str) -> socket.socket:
        """The connection to the service that has the interface. Raises VarlinkError if none has."""
        if self._connection is not None and interface == self._interface:
            return self._connection
        self._disconnect()
        with_resolver = f"The resolver {self._resolver or RESOLVER}"
        try:
            self._client = fastvarlink.Client.new_with_resolved_interface(interface, self._resolver)
        except OSError:
            with told(with_resolver):
                raise
        with told(interface):
            self._connection = self._client.open_connection()
        self._interface = interface
        return self._connection

    def _disconnect(self) -> None:
        self._replies.rest()
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._client is not None:
            self._client.cleanup()
            self._client = None

    def _hand_over(self, early: bytes) -> None:
        """The connection speaks another protocol now. early: what stdin sent of it already."""
        if self._connection is None:
            return
        write_whole(sys.stdout.fileno(), self._replies.rest())
        with told(self._interface or ""):
            self._connection.sendall(early)
            pass_through(self._connection)


def whole(reader: FrameReader) -> bytes | None:
    """The next whole message, None when there is none yet. Fails for one over the limit."""
    try:
        return reader.next_frame()
    except ProtocolError as error:
        fail(f"The bridge passes on no message so long: {error}")


def parsed(message: bytes, source: str) -> dict[str, Any]:
    try:
        value = json.loads(message)
    except ValueError as error:
        fail(f"A message from {source} is not JSON: {error}.")
    if not isinstance(value, dict):
        fail(f"A message from {source} is no JSON object, but {type(value).__name__}.")
    return value


def readdressed(call: dict[str, Any], message: bytes) -> tuple[str, bytes]:
    """The interface that decides where a call goes, and the message to send there.

    org.varlink.service is everywhere: GetInfo is answered by the resolver for all services, and
    GetInterfaceDescription by the service that has the described interface.
    """
    method = call.get("method")
    if not isinstance(method, str):
        fail(f"A message from stdin calls no method: {message.decode(errors='replace')!r}.")
    if method == "org.varlink.service.GetInfo":
        call = {**call, "method": "org.varlink.resolver.GetInfo"}
        return "org.varlink.resolver", json.dumps(call).encode()
    if method == "org.varlink.service.GetInterfaceDescription":
        parameters = call.get("parameters")
        interface = parameters.get("interface") if isinstance(parameters, dict) else None
        return (interface if isinstance(interface, str) else ""), message
    return method.rpartition(".")[0], message
