"""What stands around calls: logging, counting, tracing, deciding who may do what."""

from __future__ import annotations

from typing import Any

__all__ = ["Interceptor"]


class Interceptor:
    """Sees the calls that a service answers or a client makes. Override what you need; the rest is free.

    ``Service(interceptors=[...])`` and ``Client(interceptors=[...])`` take them from the outermost to the
    innermost: call() goes inwards, the others come back outwards. Those that a call has not reached, because
    one further out has refused or answered it, see nothing of it. All methods of one call run in one context
    (contextvars), which its handler has too. They must not block where calls are awaited.
    """

    def call(self, call: Any) -> Any:
        """A call begins. ``call`` is a fastvarlink.Call; its parameters may be changed.

        None lets it go on; anything else is its result, as a handler would return it, or a dict at a client.
        An exception refuses it. May be a coroutine function where calls are awaited, and at any service.
        """

    def reply(self, call: Any, parameters: dict[str, Any], continues: bool) -> dict[str, Any] | None:
        """A reply, ``continues`` if more follow. None leaves it as it is, a dict takes the place of its own.

        An exception takes the place of the reply, and ends the call.
        """

    def failure(self, call: Any, error: Exception) -> Exception | None:
        """The call fails. None leaves it at that, an exception takes the place of this one."""

    def end(self, call: Any) -> None:
        """The call is over, however it ended: ``call.error`` is what it failed with, None if it did not.

        Called once for each call() that was called.
        """

    def opened(self, connection: Any) -> None:
        """A connection has been made. It has a ``peer``, and ``state``, a dict that lives as long as it."""

    def closed(self, connection: Any) -> None:
        """A connection has ended."""

    def refused(self, peer: Any, why: str) -> None:
        """A service has not let a Peer in."""
