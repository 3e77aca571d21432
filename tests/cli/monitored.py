"""A monitor between a client and a service that are both played by a test."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from .command import COMMAND, PATIENCE


class Monitor:
    """A running monitor, which prints lines of JSON or of text."""

    def __init__(self, process: subprocess.Popen[bytes], address: str) -> None:
        self.process = process
        self.address = address
        self.printed = b""

    def lines_until(self, enough: Callable[[list[str]], bool]) -> list[str]:
        """All lines that were printed, as soon as there are enough of them."""
        due = time.monotonic() + PATIENCE
        assert self.process.stdout is not None
        fd = self.process.stdout.fileno()
        while not enough(lines := self.printed.decode().splitlines()):
            readable, _, _ = select.select([fd], [], [], max(0, due - time.monotonic()))
            assert readable, f"Nothing more came after {lines}."
            data = os.read(fd, 65536)
            assert data, f"The monitor ended after {lines}."
            self.printed += data
        return lines

    def records_until(self, kind: str, count: int = 1) -> list[dict[str, Any]]:
        """All records behind the first, once so many of a kind are among them."""
        told = f'{{"kind":"{kind}"'
        lines = self.lines_until(lambda lines: sum(line.startswith(told) for line in lines) >= count)
        return [json.loads(line) for line in lines[1:]]

    def stop(self, number: int = signal.SIGINT) -> tuple[int, str, str]:
        """End it by a signal: its status, all that it printed, and what it said on stderr."""
        self.process.send_signal(number)
        rest, complaints = self.process.communicate(timeout=PATIENCE)
        self.printed += rest
        assert b"Traceback" not in complaints, complaints.decode()
        return self.process.returncode, self.printed.decode(), complaints.decode()


@contextlib.contextmanager
def monitor(service: str, folder: Path, *options: str, listen: str | None = None) -> Iterator[Monitor]:
    """A monitor of a service, which listens already."""
    address = listen or f"unix:{folder}/monitor"
    process = subprocess.Popen(
        [*COMMAND, "monitor", service, "--listen", address, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with process:
        try:
            started = Monitor(process, address)
            first = started.lines_until(bool)[0]
            if address.endswith(":0"):
                started.address = json.loads(first)["listen"]
            yield started
        finally:
            process.kill()


def connected(address: str) -> socket.socket:
    """A client's socket."""
    kind, _, place = address.partition(":")
    if kind == "tcp":
        host, _, port = place.rpartition(":")
        return socket.create_connection((host, int(port)), PATIENCE)
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(PATIENCE)
    client.connect(f"\0{place[1:]}" if place.startswith("@") else place)
    return client


class Played:
    """A service that is played by the test: it listens, and the test takes its connections."""

    def __init__(self, endpoint: socket.socket, address: str) -> None:
        self.endpoint = endpoint
        self.address = address
        endpoint.settimeout(PATIENCE)
        endpoint.listen()

    def accept(self) -> socket.socket:
        """The next connection."""
        connection, _ = self.endpoint.accept()
        connection.settimeout(PATIENCE)
        return connection


@contextlib.contextmanager
def played(folder: Path) -> Iterator[Played]:
    """Such a service on a unix socket."""
    with socket.socket(socket.AF_UNIX) as endpoint:
        endpoint.bind(f"{folder}/played")
        yield Played(endpoint, f"unix:{folder}/played")


@contextlib.contextmanager
def played_on_tcp() -> Iterator[Played]:
    """Such a service on a port."""
    with socket.create_server(("127.0.0.1", 0)) as endpoint:
        yield Played(endpoint, f"tcp:127.0.0.1:{endpoint.getsockname()[1]}")


def received(connection: socket.socket, size: int) -> bytes:
    """So many bytes."""
    data = b""
    while len(data) < size:
        piece = connection.recv(size - len(data))
        assert piece, f"The connection ended after {data!r}."
        data += piece
    return data
