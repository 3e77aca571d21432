"""Calls that are passed on to the services which have their interfaces, one call after the other."""

from __future__ import annotations

import json
import os
import socket
from typing import Any

from fastvarlink._core.framing import FrameReader, frame_of
from fastvarlink.cli.fault import BROKEN, REJECTED, UNREACHABLE, fail, told
from fastvarlink.cli.finding import RESOLVER, registries, services
from fastvarlink.cli.passing import pass_through, read, received, stdin_fd, write_out
from fastvarlink.cli.target import Target, found_target
from fastvarlink.error import InterfaceNotFound, ProtocolError, VarlinkEncoder, VarlinkError
from fastvarlink.limits import Limits

__all__ = ["Router"]


class Router:
    """Sends each call of stdin to the service that has its interface, and the replies to stdout."""

    def __init__(self, resolver: str | None) -> None:
        self._resolver = resolver
        self._target: Target | None = None
        self._connection: socket.socket | None = None
        self._interface: str | None = None
        self._replies = FrameReader(Limits().max_message_size)

    def run(self) -> None:
        """Pass on what comes until stdin ends, or a call has made its connection speak something else."""
        calls = FrameReader(Limits().max_message_size)
        stdin = stdin_fd()
        try:
            while data := read(stdin):
                calls.receive(data)
                while (message := _whole(calls, REJECTED)) is not None:
                    if self._route(message):
                        self._hand_over(calls.rest())
                        return
        finally:
            self._disconnect()

    def _route(self, message: bytes) -> bool:
        """Pass one call on and its replies back. True when it was an upgrade that took place."""
        call = _parsed(message, "stdin", REJECTED)
        interface, message = _readdressed(call, message)
        try:
            answer = self._own_answer(call)
            if answer is None:
                connection = self._connected(interface)
        except VarlinkError as error:
            answer = error.as_dict()
        if answer is not None:
            if not call.get("oneway"):
                write_out(frame_of(json.dumps(answer, cls=VarlinkEncoder).encode()))
            return False
        with told(interface):
            connection.sendall(frame_of(message))
            if call.get("oneway"):
                return False
            while True:
                raw = self._next_reply(connection, interface)
                write_out(frame_of(raw))
                reply = _parsed(raw, interface, BROKEN)
                if not reply.get("continues"):
                    return bool(call.get("upgrade")) and reply.get("error") is None

    def _own_answer(self, call: dict[str, Any]) -> dict[str, Any] | None:
        """The reply to a call that no service can be asked: about all of them together."""
        if call["method"] == "org.varlink.service.GetInfo" and self._has_no_resolver():
            return {
                "parameters": {
                    "vendor": "fastvarlink",
                    "product": "varlink bridge",
                    "version": "",
                    "url": "",
                    "interfaces": ["org.varlink.service", *_registered_interfaces()],
                }
            }
        parameters = call.get("parameters")
        if call["method"] == "org.varlink.service.GetInterfaceDescription" and parameters == {
            "interface": "org.varlink.service"
        }:
            from importlib import resources

            text = resources.files("fastvarlink").joinpath("org.varlink.service.varlink").read_text("utf-8")
            return {"parameters": {"description": text}}
        return None

    def _has_no_resolver(self) -> bool:
        return self._resolver is None and not os.path.exists(RESOLVER.removeprefix("unix:"))

    def _next_reply(self, connection: socket.socket, interface: str) -> bytes:
        while (raw := _whole(self._replies, BROKEN)) is None:
            data = received(connection)
            if not data:
                fail(f"The service of {interface} closed the connection before it had answered.", UNREACHABLE)
            self._replies.receive(data)
        return raw

    def _connected(self, interface: str) -> socket.socket:
        """The connection to the service that has the interface. Raises VarlinkError if none has."""
        if self._connection is not None and interface == self._interface:
            return self._connection
        self._disconnect()
        try:
            self._target = found_target([interface], self._resolver, None)
        except OSError:
            if self._has_no_resolver():
                # Nobody else knows of any.
                raise InterfaceNotFound(interface) from None
            with told(f"The resolver {self._resolver or RESOLVER}"):
                raise
        self._connection = self._target.connect()
        self._interface = interface
        return self._connection

    def _disconnect(self) -> None:
        self._replies.rest()
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._target is not None:
            self._target.close()
            self._target = None

    def _hand_over(self, early: bytes) -> None:
        """The connection speaks another protocol now. early: what stdin sent of it already."""
        if self._connection is None:
            return
        write_out(self._replies.rest())
        with told(self._interface or ""):
            self._connection.sendall(early)
            pass_through(self._connection)


def _registered_interfaces() -> list[str]:
    found: set[str] = set()
    for folder in registries():
        with told(f"The registry {folder!r}"):
            found |= {name for name, address in services(folder) if address is not None}
    return sorted(found)


def _whole(reader: FrameReader, status: int) -> bytes | None:
    """The next whole message, None when there is none yet. Fails for one over the limit."""
    try:
        return reader.next_frame()
    except ProtocolError as error:
        fail(f"The bridge passes on no message so long: {error}", status)


def _parsed(message: bytes, source: str, status: int) -> dict[str, Any]:
    try:
        value = json.loads(message)
    except (ValueError, RecursionError) as error:
        fail(f"A message from {source} is not JSON: {error}.", status)
    if not isinstance(value, dict):
        fail(f"A message from {source} is no JSON object, but {type(value).__name__}.", status)
    return value


def _readdressed(call: dict[str, Any], message: bytes) -> tuple[str, bytes]:
    """The interface that decides where a call goes, and the message to send there.

    org.varlink.service is everywhere: GetInfo is answered by the resolver for all services, and
    GetInterfaceDescription by the service that has the described interface.
    """
    method = call.get("method")
    if not isinstance(method, str):
        fail(f"A message from stdin calls no method: {message.decode(errors='replace')!r}.", REJECTED)
    if method == "org.varlink.service.GetInfo":
        call = {**call, "method": "org.varlink.resolver.GetInfo"}
        return "org.varlink.resolver", json.dumps(call).encode()
    if method == "org.varlink.service.GetInterfaceDescription":
        parameters = call.get("parameters")
        interface = parameters.get("interface") if isinstance(parameters, dict) else None
        return (interface if isinstance(interface, str) else ""), message
    return method.rpartition(".")[0], message
