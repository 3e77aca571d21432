"""Whoever connects here is connected to a service, and what they say to each other is seen."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import time
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread

from fastvarlink.cli.fault import explain
from fastvarlink.cli.target import Target
from fastvarlink.cli.traffic.event import Event, Side
from fastvarlink.cli.traffic.passage import Passage

__all__ = ["Proxy"]

# Seconds until the next attempt to accept, where the process may open nothing more.
PAUSE = 0.2


class Proxy:
    """Accepts at ``endpoint`` and connects to ``target``, a connection for each client.

    One thread moves all bytes, so that what is seen has one order; only making a connection, which may take
    long, has a thread of its own. ``note`` is told of each event, and ``flush()`` called after several.
    """

    def __init__(
        self,
        endpoint: socket.socket,
        target: Target,
        note: Callable[[Event], None],
        flush: Callable[[], None],
        began: int,
    ) -> None:
        self._endpoint = endpoint
        self._target = target
        self._note = note
        self._flush = flush
        self._began = began
        self._poll = select.epoll()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._made: SimpleQueue[tuple[int, socket.socket, socket.socket | Exception]] = SimpleQueue()
        self._passages: dict[int, tuple[Passage, Side]] = {}
        self._count = 0
        self._accepting = True
        self._stopped = False
        endpoint.setblocking(False)
        self._poll.register(endpoint, select.EPOLLIN)
        self._poll.register(self._wake, select.EPOLLIN)

    def stop(self) -> None:
        """Have run() return. May be called by a signal's handler."""
        self._stopped = True
        os.eventfd_write(self._wake, 1)

    def run(self) -> None:
        """Pass on until stop() is called. Then all connections are closed."""
        while not self._stopped:
            events = self._poll.poll(None if self._accepting else PAUSE)
            # New sockets come last: they may have the numbers of those that are closed here.
            for fd, what in events:
                if fd in self._passages:
                    self._advance(fd, what)
            for fd, _ in events:
                if fd == self._endpoint.fileno():
                    self._accept()
                elif fd == self._wake:
                    self._take_connected()
            if not self._accepting:
                self._accepting = True
                self._poll.register(self._endpoint, select.EPOLLIN)
            self._flush()
        for passage, _ in list(self._passages.values()):
            passage.end(None)
        self._flush()

    def _advance(self, fd: int, what: int) -> None:
        passage, side = self._passages[fd]
        numbers = passage.numbers
        passage.advance(side, what)
        if passage.over:
            for number in numbers:
                del self._passages[number]

    def _accept(self) -> None:
        try:
            client, _ = self._endpoint.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        except OSError:
            # Too many open files. The client waits until there is room again.
            self._accepting = False
            self._poll.unregister(self._endpoint)
            return
        client.setblocking(False)
        if client.family != socket.AF_UNIX:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._count += 1
        Thread(target=self._connect, args=(self._count, client), daemon=True).start()

    def _connect(self, number: int, client: socket.socket) -> None:
        made: socket.socket | Exception
        try:
            made = self._target.dial()
        except Exception as error:
            made = error
        self._made.put((number, client, made))
        os.eventfd_write(self._wake, 1)

    def _take_connected(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._wake)
        while not self._made.empty():
            number, client, made = self._made.get()
            event = Event(kind="open", time=time.monotonic_ns() - self._began, connection=number)
            if isinstance(made, Exception):
                client.close()
                event.kind = "refused"
                event.why, _ = explain(self._target.name, made)
                self._note(event)
                continue
            made.setblocking(False)
            self._note(event)
            passage = Passage(number, client, made, self._poll, self._note, self._began)
            for fd, side in passage.numbers.items():
                self._passages[fd] = (passage, side)
