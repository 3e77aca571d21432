"""Limits, each beside the attack that it stops."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Limits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a peer may cost. For ``Server(limits=...)`` and ``Client(limits=...)``; ValueError for one that is
    out of its range.

    Of each message, on both sides:

    ``max_message_size``: its bytes, in either direction. A peer that never ends its message could fill the
    memory.

    ``max_elements``: commas and opening brackets outside of its strings, so roughly the values in it. A list
    of empty objects costs thirty times its bytes when it is decoded.

    ``max_depth``: how deep arrays and objects stand in each other, at most 1024, which is what the decoder
    takes. Nesting could exhaust the stack of whoever walks it.

    ``frame_timeout``: seconds from the first byte of a message to its last, None for no limit. A peer that
    sends a byte now and then would hold its connection, and the memory of what it has sent, for ever.

    Of the connections of a server:

    ``max_connections``, ``max_connections_per_peer``: how many are open at a time, in all and from one user
    (on TCP, from one host). Neither is more than three quarters of what the process may open. New ones over
    the limit are closed at once, so that one peer cannot crowd out all others.

    ``idle_timeout``: seconds without a call after which a connection is closed, None for no limit.

    ``max_queued_calls``: calls that wait behind the one being answered. Then nothing more is read, so that
    the peer is held up and not the memory filled.

    ``max_unsent``: bytes of replies that the peer has not taken, beyond which no call is answered and no
    reply of a stream is made until it reads. A peer that calls and never reads would fill the memory.

    ``max_buffered``: bytes that all connections together hold in unfinished messages and unread replies,
    small ones not counted. When it is exceeded the connection that holds most is closed.
    """

    max_message_size: int = 16 << 20
    max_elements: int = 1 << 20
    max_depth: int = 1024
    frame_timeout: float | None = 20.0
    max_connections: int = 4096
    max_connections_per_peer: int = 1024
    idle_timeout: float | None = None
    max_queued_calls: int = 128
    max_unsent: int = 64 << 10
    max_buffered: int = 256 << 20

    def __post_init__(self) -> None:
        for name in self.__dataclass_fields__:
            value = getattr(self, name)
            if value is None and name.endswith("_timeout"):
                continue
            wanted = (int, float) if name.endswith("_timeout") else (int,)
            if not isinstance(value, wanted) or isinstance(value, bool):
                raise TypeError(f"The limit {name} is {value!r}: it must be a number.")
            if value <= 0:
                raise ValueError(f"The limit {name} is {value!r}: it must be greater than 0.")
        for name, most in _MOST.items():
            value = getattr(self, name)
            if value is not None and value > most:
                raise ValueError(f"The limit {name} is {value!r}: it can be {most} at most.")


_MOST = {
    "max_message_size": 1 << 40,
    "max_elements": 1 << 40,
    # What orjson decodes.
    "max_depth": 1024,
    "frame_timeout": 1e9,
    "idle_timeout": 1e9,
    "max_queued_calls": 1 << 16,
    "max_unsent": 1 << 40,
    "max_buffered": 1 << 40,
}
