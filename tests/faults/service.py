"""The service of these tests, as a program: service.py SERVER WAY ADDRESS [THREADS_THAT_ARE_DISTURBED].

SERVER is the class of the server. WAY is ``plain``, or ``careful`` for an interface with descriptors and an
upgrade, for which each read is preceded by a look. It says "listening" on standard output, and serves until
standard input ends. What it logs goes to standard error.
"""

from __future__ import annotations

import ctypes
import functools
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from typing import Any

import fastvarlink

PLAIN = """\
interface org.example.faults

method Echo(text: string) -> (text: string)
method Count(n: int) -> (i: int)
method Record(text: string) -> ()
method Recorded() -> (texts: []string)
method Signals() -> (count: int)
"""
CAREFUL = f"""{PLAIN}
method Swap(file: int) -> (read: string, file: int)
method Shout() -> (greeting: string)
"""


class Handlers:
    def __init__(self) -> None:
        self.signals = 0

    def Echo(self, text: str) -> dict[str, Any]:
        return {"text": text}

    def Count(self, n: int) -> Iterator[dict[str, Any]]:
        for i in range(n):
            yield {"i": i, "_continues": i < n - 1}

    def Record(self, text: str, _context: fastvarlink.Context) -> None:
        _context.state.setdefault("texts", []).append(text)

    def Recorded(self, _context: fastvarlink.Context) -> dict[str, Any]:
        return {"texts": _context.state.get("texts", [])}

    def Signals(self) -> dict[str, Any]:
        return {"count": self.signals}

    def note_signal(self, *_: object) -> None:
        self.signals += 1


class CarefulHandlers(Handlers):
    @fastvarlink.method(descriptors=1)
    def Swap(self, file: int, _descriptors: fastvarlink.Descriptors) -> dict[str, Any]:
        # Whatever finds no memory, nothing stays open here.
        given = _descriptors.take(file)
        try:
            read = os.read(given, 100).decode()
        finally:
            os.close(given)
        answer = os.memfd_create("answer")
        try:
            os.write(answer, read.upper().encode())
            os.lseek(answer, 0, os.SEEK_SET)
            number = _descriptors.give(answer)
        except BaseException:
            os.close(answer)
            raise
        return {"read": read, "file": number}

    @fastvarlink.method(upgrade=True)
    def Shout(self, _context: fastvarlink.Context) -> dict[str, Any]:
        _context.take_over(functools.partial(shout, b"!"))
        return {"greeting": "speak"}


def shout(end: bytes, connection: socket.socket) -> None:
    while data := connection.recv(4096):
        connection.sendall(data.upper() + end)


def disturb(threads: list[threading.Thread], over: threading.Event) -> None:
    """Signal each thread about a thousand times a second."""
    while not over.wait(0.001):
        for thread in threads:
            if thread.ident is not None and thread.is_alive():
                signal.pthread_kill(thread.ident, signal.SIGUSR1)


def main(server_name: str, way: str, address: str, *disturbed: str) -> None:
    logging.basicConfig(format="%(name)s: %(message)s")
    handlers = CarefulHandlers() if way == "careful" else Handlers()
    service = fastvarlink.Service(vendor="Example", product="Faults", version="1", url="https://example.org")
    text = CAREFUL if way == "careful" else PLAIN
    service.interface(text, descriptors=way == "careful")(type("Given", (), {"__new__": lambda _: handlers}))
    signal.signal(signal.SIGUSR1, handlers.note_signal)
    ctypes.PyDLL(None).watch_python_memory()
    with getattr(fastvarlink, server_name)(address, service) as server:
        serving = threading.current_thread()

        def until_told() -> None:
            sys.stdin.read()
            server.shutdown()

        threading.Thread(target=until_told, daemon=True).start()
        over = threading.Event()
        if disturbed:
            threading.Thread(target=disturb, args=([serving], over), daemon=True).start()
        print("listening", flush=True)
        server.serve_forever()
        over.set()


if __name__ == "__main__":
    main(*sys.argv[1:])
