"""One connection of the command: parameters go and replies come as JSON, whatever the interface says."""

from __future__ import annotations

import json
import select
from collections.abc import Iterator
from socket import socket
from typing import Any, NamedTuple, Self

from fastvarlink._core.channel import Channel
from fastvarlink._core.control import Descriptors
from fastvarlink.error import EncodingError, MessageTooLarge, VarlinkError
from fastvarlink.limits import Limits

__all__ = ["Reply", "Session"]


class Reply(NamedTuple):
    """A reply as it came. Numbers are what the service wrote, however long."""

    parameters: dict[str, Any]
    error: str | None
    continues: bool

    def check(self) -> dict[str, Any]:
        """The parameters. Raises VarlinkError if it is an error."""
        if self.error is not None:
            raise VarlinkError.new({"error": self.error, "parameters": self.parameters})
        return self.parameters


class Session:
    """A connection to a service. ``timeout`` is how many seconds each reply may take."""

    def __init__(self, connection: socket, timeout: float | None = None) -> None:
        # Other versions of a service may say more than is known here; it is their user who judges it.
        self._channel = Channel(connection, Limits(), strict=False)
        self.timeout = timeout

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._channel.close()

    def send(
        self,
        method: str,
        parameters: dict[str, Any] | None = None,
        flag: str | None = None,
        descriptors: Descriptors | None = None,
    ) -> None:
        """Send a call, with ``more``, ``oneway`` or ``upgrade`` if that is the flag."""
        call: dict[str, Any] = {"method": method}
        if flag is not None:
            call[flag] = True
        call["parameters"] = parameters or {}
        message = json.dumps(call, ensure_ascii=False, separators=(",", ":"))
        try:
            # Half of a surrogate pair is not UTF-8, and not what others take for JSON either.
            self._channel.send_message(message.encode("utf-8", "backslashreplace"), self.timeout, descriptors)
        except MessageTooLarge:
            raise
        except ValueError as error:
            raise EncodingError("", str(error).removeprefix("The message ").rstrip(".")) from None

    def reply(self, descriptors: Descriptors | None = None) -> Reply:
        """The next reply; what came with it is in ``descriptors``."""
        message = json.loads(self._channel.next_message(self.timeout, descriptors))
        return Reply(
            message.get("parameters") or {}, message.get("error"), bool(message.get("continues", False))
        )

    def replies(self, descriptors: Descriptors | None = None) -> Iterator[Reply]:
        """The replies to one call, to the last."""
        continues = True
        while continues:
            reply = self.reply(descriptors)
            yield reply
            continues = reply.continues

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """The result of a call. Raises VarlinkError for an error."""
        self.send(method, parameters)
        return self.reply().check()

    def interfaces(self) -> list[str]:
        """The names of the service's interfaces."""
        return [str(name) for name in self.ask("org.varlink.service.GetInfo").get("interfaces", ())]

    def is_over(self) -> bool:
        """Whether the service has ended the connection. Between calls, when nothing else can come."""
        poll = select.poll()
        poll.register(self._channel.connection, select.POLLIN)
        return bool(poll.poll(0))

    def leave(self) -> socket:
        """The socket, after the reply to an upgrade."""
        connection: socket = self._channel.leave()
        return connection
