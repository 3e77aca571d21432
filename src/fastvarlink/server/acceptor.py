"""A listening socket, and the connections that wait at it."""

from __future__ import annotations

import contextlib
import errno
import logging
import select
from collections.abc import Callable
from socket import socket
from typing import Any

from fastvarlink._core.listener import Alarm, Listener
from fastvarlink._core.reactor import Reactor
from fastvarlink.server.turns import Turn

__all__ = ["Acceptor"]

logger = logging.getLogger("fastvarlink.server")

# accept() fails with these when a connection has gone before it was accepted; the next may be there.
_ONE_LOST = {
    errno.ECONNABORTED,
    errno.EHOSTDOWN,
    errno.EHOSTUNREACH,
    errno.EINTR,
    errno.ENETDOWN,
    errno.ENETUNREACH,
    errno.ENOPROTOOPT,
    errno.EOPNOTSUPP,
    errno.EPROTO,
}
# Connections taken in a row before those that are open have their turn.
TURN = 64
# Seconds after which it is tried again where there was no room, or it was the turn of another process.
RETRY = 0.1


class Acceptor:
    """Takes the connections of a listening socket, whenever there are some and there is room.

    accept() returns a connection and its address, or raises what accept() raises; take(request, address)
    does what is to be done with them, and rest() is called when a thread has none in hand any more. Where
    other processes take connections of the same socket, turn says whether it is this one's turn.
    """

    def __init__(
        self,
        endpoint: socket,
        accept: Callable[[], tuple[Any, Any]],
        take: Callable[[Any, Any], None],
        rest: Callable[[], None],
        turn: Turn | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._accept = accept
        self._take = take
        self._rest = rest
        self._turn = turn
        self._listener: Listener | None = None
        self._alarm = Alarm(RETRY, self._retry_late)
        self._reactor: Reactor | None = None
        self._starved = False
        self._told = False
        # As many as there are threads that may have a connection in hand that nobody knows of yet.
        self._taking: list[None] = []

    @property
    def taking(self) -> bool:
        """True while a thread takes connections."""
        return bool(self._taking)

    def attach(self, reactor: Reactor) -> None:
        """Take connections whenever the reactor tells of some."""
        # Taking all that wait needs an accept() that does not.
        self._endpoint.setblocking(False)
        self._reactor = reactor
        self._listener = Listener(self._endpoint.fileno(), self.accept_some)
        self._listener.attach(reactor)

    def detach(self) -> None:
        """Take no more."""
        listener, self._listener = self._listener, None
        self._alarm.cancel()
        if listener is not None:
            listener.detach()

    def pause(self) -> None:
        """Take no more until attach(), also when there is room again."""
        self.detach()
        self._starved = False

    def accept_some(self) -> bool:
        """Take connections that wait. True if there may be more, and others should have their turn first."""
        return self._accept_some(self._turn)

    def _accept_some(self, turn: Turn | None) -> bool:
        try:
            self._taking.append(None)
        except MemoryError as failure:
            self._wait_for_room(failure)
            return False
        try:
            return self._accept_in_turn(turn)
        finally:
            self._taking.pop()
            self._rest()

    def _accept_in_turn(self, turn: Turn | None) -> bool:
        for taken in range(TURN):
            try:
                if turn is not None and not turn.mine():
                    self._wait()
                    if taken:
                        # Who is next has been told of those that wait when it was not its turn.
                        turn.pass_on()
                    return False
                request, address = self._accept()
            except BlockingIOError:
                return False
            except OSError as failure:
                if failure.errno in _ONE_LOST:
                    continue
                # Nothing tells again of those that wait already.
                self._wait_for_room(failure)
                return False
            except MemoryError as failure:
                self._wait_for_room(failure)
                return False
            self._told = False
            self._take(request, address)
        return True

    def accept_all(self) -> None:
        """Take all connections that wait, whoever's turn it is."""
        # Who ends before attach() has accept() wait for more, otherwise.
        with contextlib.suppress(OSError):
            self._endpoint.setblocking(False)
        while self._accept_some(None):
            pass

    def _wait_for_room(self, failure: Exception) -> None:
        # No descriptors, most likely, or no memory. It is tried again when a connection has ended, or after a
        # while, as what took the room may be something else. Until then they wait in the queue.
        if not self._told and self._listener is not None:
            self._told = True
            logger.warning("No connection can be accepted for now: %r", failure)
        self._wait()

    def _wait(self) -> None:
        self._starved = True
        if self._reactor is not None and self._listener is not None:
            self._alarm.start(self._reactor)

    def retry(self) -> None:
        """There may be room again."""
        if self._starved:
            self._starved = False
            while self.accept_some():
                pass

    def _retry_late(self) -> None:
        if self._turn is not None and self._starved and self._some_wait():
            # Whose turn it was does not come to it.
            self._turn.insist()
        self.retry()

    def _some_wait(self) -> bool:
        try:
            poll = select.poll()
            poll.register(self._endpoint, select.POLLIN)
            return bool(poll.poll(0))
        except MemoryError:
            return False
