"""org.example.relay as a program of its own. Serves the sockets it is started with."""

from __future__ import annotations

import functools
import os
import socket
from pathlib import Path
from typing import Any

import fastvarlink

service = fastvarlink.Service(
    vendor="fastvarlink",
    product="Relay",
    version="1",
    url="https://varlink.org",
    interface_dir=str(Path(__file__).parent),
)


class NotNow(fastvarlink.VarlinkError):
    def __init__(self) -> None:
        super().__init__({"error": "org.example.relay.NotNow"})


def shout(greeting: str, connection: socket.socket) -> None:
    with connection, connection.makefile("rb") as lines:
        connection.sendall(f"{greeting}\n".encode())
        for line in lines:
            connection.sendall(line.upper())


@service.interface("org.example.relay", descriptors=True)
class Relay:
    @fastvarlink.method(upgrade=True)
    def Shout(self, greeting: str, _context: Any) -> dict[str, Any]:
        if not greeting:
            raise NotNow()
        _context.take_over(functools.partial(shout, greeting))
        return {"greeting": greeting}

    def Read(self, files: list[int], _descriptors: Any) -> dict[str, Any]:
        text = ""
        for index in files:
            with open(_descriptors.take(index), encoding="utf-8") as file:
                text += file.read()
        return {"text": text}

    def Write(self, text: str, _descriptors: Any) -> dict[str, Any]:
        reading, writing = os.pipe()
        with open(writing, "w", encoding="utf-8") as file:
            file.write(text)
        return {"file": _descriptors.give(reading)}


if __name__ == "__main__":
    fastvarlink.serve(service)
