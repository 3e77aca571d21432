"""A worker: a process of several that serve the same sockets, and what it and its supervisor tell each other.

They talk over a pair of sockets that keep messages apart. The supervisor alone holds its end: the end of the
stream means that it is gone.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from socket import MSG_DONTWAIT, MSG_NOSIGNAL, socket

from fastvarlink._core.listener import Listener
from fastvarlink._core.reactor import Reactor
from fastvarlink.server.listening import Listening
from fastvarlink.server.program import ProgramServer, Settings, serve_sockets
from fastvarlink.server.turns import Turn, Turns
from fastvarlink.service import Service

__all__ = [
    "ACCEPT",
    "ALIVE",
    "BUSY",
    "DRAIN",
    "FAILED",
    "IDLE",
    "LEAVE",
    "PAUSE",
    "READY",
    "RETIRE",
    "STILL",
    "Supervisor",
    "heard",
    "run_worker",
    "tell",
]

logger = logging.getLogger("fastvarlink.server")

# What a worker is told.
ACCEPT = b"accept"  # take connections
PAUSE = b"pause"  # take none until it is told to; answered by STILL or BUSY, with what stands behind the word
LEAVE = b"leave"  # after a pause: end, with the last connection
RETIRE = b"retire"  # others have taken over: end, with the calls of those who are connected
DRAIN = b"drain"  # nobody takes over: end, with the calls that have arrived

# What it tells.
READY = b"ready"  # it waits to be told to take connections
ALIVE = b"alive"
IDLE = b"idle"  # it has had no connection for the time after which a service ends
STILL = b"still"  # and has had none since
BUSY = b"busy"
FAILED = b"failed"  # it ends by an error, which stands behind the word

# Bytes that a message has at most.
LONGEST = 4096


def tell(channel: socket, message: bytes) -> None:
    """Send a message, without waiting; nothing happens if the other end is gone, or has not read for long."""
    with contextlib.suppress(OSError):
        channel.send(message[:LONGEST], MSG_DONTWAIT | MSG_NOSIGNAL)


def heard(channel: socket) -> tuple[bytes, bytes] | None:
    """The next message, as its first word and the rest; None if none has come. EOFError if none will."""
    try:
        message = channel.recv(LONGEST, MSG_DONTWAIT)
    except BlockingIOError:
        return None
    except OSError:
        message = b""
    if not message:
        raise EOFError("The other end is gone.")
    word, _, rest = message.partition(b" ")
    return word, rest


class Supervisor:
    """The supervisor, as its worker sees it."""

    def __init__(
        self, channel: socket, turns: Turns, place: int, interval: float | None, drain_time: float
    ) -> None:
        self.interval = interval
        self._channel = channel
        self._turns = turns
        self._place = place
        self._drain_time = drain_time
        self._turn: Turn | None = None
        self._listeners: list[Listener] = []
        self._server: ProgramServer | None = None

    def turn(self, count: Callable[[], int]) -> Turn | None:
        """The turns that all workers take."""
        self._turn = Turn(self._turns, self._place, count)
        return self._turn

    def begin(self, server: ProgramServer, reactor: Reactor) -> None:
        """Listen to what is to be done."""
        assert self._turn is not None
        self._server = server
        self._listeners = [
            Listener(self._channel.fileno(), self._obey),
            Listener(self._turn.bell, server.look),
        ]
        for listener in self._listeners:
            listener.attach(reactor)
        tell(self._channel, READY)

    def alive(self) -> None:
        """Tell that it lives."""
        tell(self._channel, ALIVE)

    def idle(self) -> None:
        """Tell so: the supervisor knows whether all are."""
        tell(self._channel, IDLE)

    def stopping(self) -> None:
        """Who comes to the bell's place now is another."""
        for listener in self._listeners[1:]:
            listener.detach()

    def _obey(self) -> None:
        server = self._server
        assert server is not None
        try:
            while (message := heard(self._channel)) is not None:
                order, rest = message
                if order == ACCEPT:
                    server.accept()
                elif order == PAUSE:
                    tell(self._channel, (STILL if server.pause() else BUSY) + b" " + rest)
                elif order == LEAVE:
                    server.leave()
                elif order == RETIRE:
                    server.retire(self._drain_time)
                elif order == DRAIN:
                    server.drain(self._drain_time)
        except EOFError:
            self._listeners[0].detach()
            logger.warning("The supervisor of this worker has ended, and so does the worker.")
            server.drain(self._drain_time)


def run_worker(
    service: Service | Callable[[], Service],
    listening: Listening,
    settings: Settings,
    supervisor: Supervisor,
    channel: socket,
) -> int:
    """Serve until the supervisor, or a signal, ends it; the status to exit with."""
    try:
        serve_sockets(service, listening, settings, supervisor)
    except BaseException as failure:
        logger.exception("A worker ends by an error.")
        tell(channel, FAILED + f" {type(failure).__name__}: {failure}".encode("utf-8", "replace"))
        return 1
    return 0
