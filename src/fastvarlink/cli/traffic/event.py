"""What can be seen on connections that are passed on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["Event", "Kind", "Side"]

Side = Literal["client", "service"]

#: ``open``: a client has been connected to the service; ``refused``: it could not be.
#: ``call``, ``reply``: a message; ``broken``: something that is no message.
#: ``upgraded``: from here on bytes are passed on without a look at them.
#: ``eof``: a side says no more, but listens; ``end``: the connection is over.
#: ``note``: something went on differently from how it came.
Kind = Literal["open", "refused", "call", "reply", "broken", "upgraded", "eof", "end", "note"]


@dataclass(slots=True, kw_only=True)
class Event:
    """Something that was seen. What does not apply to its kind has the value that stands here."""

    kind: Kind
    #: Nanoseconds since the start.
    time: int
    #: Connections are counted from 1, as they come.
    connection: int
    #: Whom it came from.
    side: Side | None = None
    #: The number of the call on its connection, from 1; of a reply, the call that it answers, 0 for none.
    call: int = 0
    #: The method, also of a reply.
    method: str = ""
    #: Nanoseconds from the call to this reply; None when it answers no call.
    latency: int | None = None
    #: Bytes of a message, without what ends it.
    size: int = 0
    #: File descriptors that came with it.
    descriptors: int = 0
    #: A message as it was written, and what it says.
    text: str = ""
    message: dict[str, Any] | None = None
    #: Bytes that are no message.
    data: bytes = b""
    #: A sentence: why it was refused, what is wrong, what was done.
    why: str = ""
    #: Bytes that each side has sent, at the end.
    sent: dict[Side, int] | None = None
