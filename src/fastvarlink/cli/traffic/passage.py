"""A connection of a client to a service that goes through here: both directions, and their ends."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable

from fastvarlink.cli.traffic.dialogue import Dialogue
from fastvarlink.cli.traffic.event import Event, Side
from fastvarlink.cli.traffic.flow import DescriptorsLost, Flow

__all__ = ["Passage"]

_GONE = select.EPOLLHUP | select.EPOLLERR


class Passage:
    """Two sockets that do not block, registered at ``poll`` while there is something to wait for.

    ``note`` is told what happens, after the bytes were passed on, with nanoseconds since ``began``.
    """

    def __init__(
        self,
        number: int,
        client: socket.socket,
        service: socket.socket,
        poll: select.epoll,
        note: Callable[[Event], None],
        began: int,
    ) -> None:
        self.number = number
        self.over = False
        self._poll = poll
        self._note = note
        self._began = began
        self._dialogue = Dialogue(number, note)
        self._sockets: dict[Side, socket.socket] = {"client": client, "service": service}
        self._flows: dict[Side, Flow] = {"client": Flow(client, service), "service": Flow(service, client)}
        #: What each is registered for, None while it is not.
        self._watched: dict[Side, int | None] = {"client": None, "service": None}
        #: Sides that neither say nor take anything more.
        self._gone: set[Side] = set()
        self._first_to_end: Side | None = None
        self._stripped = False
        self._watch()

    @property
    def numbers(self) -> dict[int, Side]:
        """The descriptors of the two."""
        return {connection.fileno(): side for side, connection in self._sockets.items()}

    def advance(self, side: Side, events: int) -> None:
        """Do what can be done now that something has happened to a side's socket."""
        other: Side = "service" if side == "client" else "client"
        if events & _GONE:
            self._gone.add(side)
            self._flows[other].drop()
        elif events & select.EPOLLOUT:
            self._pass_on(other)
        if self._flows[side].hungry:
            self._receive(side)
        if not self.over:
            self._watch()

    def _pass_on(self, side: Side) -> None:
        """Write what a side has said, and that it says no more."""
        other: Side = "service" if side == "client" else "client"
        if not self._flows[side].pass_on():
            return
        if self._flows[other].done:
            # Both directions are over, which is more than the end of one.
            self.end(side)
        else:
            self._flows[side].finish()

    def _receive(self, side: Side) -> None:
        flow = self._flows[side]
        now = time.monotonic_ns() - self._began
        try:
            arrival = flow.receive(lambda data: self._dialogue.stretch(side, data))
        except DescriptorsLost:
            self._say(
                side, now, "File descriptors that came are lost, as this process may have no more open."
            )
            self.end(side)
            return
        except OSError:
            # A reset. The other side cannot be told more than that nothing follows.
            self._first_to_end = self._first_to_end or side
            self.end(side)
            return
        if arrival is None:
            return
        if arrival.data:
            self._pass_on(side)
            self._dialogue.received(side, arrival.data, arrival.descriptors, now)
            if arrival.stripped and not self._stripped:
                self._stripped = True
                self._say(side, now, "File descriptors were taken away: they cannot be passed on to TCP.")
            return
        self._dialogue.ended(side, now)
        if self._first_to_end is None and side not in self._gone:
            self._note(Event(kind="eof", time=now, connection=self.number, side=side))
        self._first_to_end = self._first_to_end or side
        self._pass_on(side)

    def _say(self, side: Side, now: int, why: str) -> None:
        self._note(Event(kind="note", time=now, connection=self.number, side=side, why=why))

    def _watch(self) -> None:
        if all(flow.done for flow in self._flows.values()):
            self.end(None)
            return
        for side, connection in self._sockets.items():
            other: Side = "service" if side == "client" else "client"
            wanted = select.EPOLLIN if self._flows[side].hungry else 0
            wanted |= select.EPOLLOUT if self._flows[other].blocked else 0
            # The system always tells of one that is gone, again and again.
            self._register(side, connection, None if side in self._gone and not wanted else wanted)

    def _register(self, side: Side, connection: socket.socket, wanted: int | None) -> None:
        before = self._watched[side]
        if before == wanted:
            return
        if wanted is None:
            self._poll.unregister(connection)
        elif before is None:
            self._poll.register(connection, wanted)
        else:
            self._poll.modify(connection, wanted)
        self._watched[side] = wanted

    def end(self, side: Side | None) -> None:
        """Close both sockets. ``side`` ended it, if it was not the first to say no more."""
        if self.over:
            return
        self.over = True
        for flow in self._flows.values():
            flow.drop()
        for connection in self._sockets.values():
            connection.close()
        now = time.monotonic_ns() - self._began
        event = Event(kind="end", time=now, connection=self.number, side=self._first_to_end or side)
        event.sent = self._dialogue.sent
        self._note(event)
