"""A server that runs as a program of its own: program.py ADDRESS LOG [LIMITS].

LIMITS is a JSON object with what Limits() takes. What the server has to complain about goes to the file LOG.
It says on standard output that it listens, and ends when standard input does.
"""

from __future__ import annotations

import json
import logging
import os
import resource
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import fastvarlink

INTERFACE = "org.example.endurance"

service = fastvarlink.Service(vendor="Example", product="Endurance", version="1", url="https://example.com")


class Refused(fastvarlink.VarlinkError):
    """The declared error."""

    def __init__(self, text: str) -> None:
        super().__init__({"error": f"{INTERFACE}.Refused", "parameters": {"text": text}})


def echo(connection: Any) -> None:
    """What an upgraded connection is used for: what comes goes back, until the peer has said all."""
    while data := connection.recv(1 << 16):
        connection.sendall(data)


@service.interface(
    f"""\
interface {INTERFACE}

method Ping(text: string) -> (text: string)
method Big(size: int) -> (text: string)
method Count(n: int, size: int) -> (i: int, filler: string)
method Note(text: string) -> ()
method Noted() -> (count: int)
method Fail(text: string) -> ()
method Crash() -> ()
method Sleep(milliseconds: int) -> (milliseconds: int)
method Turn() -> ()
method Swap(text: string) -> (text: string)
error Refused (text: string)
""",
    descriptors=True,
)
class Handlers:
    noted = 0

    def Ping(self, text: str) -> dict[str, Any]:
        return {"text": text}

    def Big(self, size: int) -> dict[str, Any]:
        return {"text": "x" * size}

    def Count(self, n: int, size: int) -> Iterator[dict[str, Any]]:
        # Without end for a negative number.
        i = 0
        while i != n:
            i += 1
            yield {"i": i, "filler": "x" * size, "_continues": i != n}

    def Note(self, text: str) -> None:
        self.noted += 1

    def Noted(self) -> dict[str, Any]:
        return {"count": self.noted}

    def Fail(self, text: str) -> None:
        raise Refused(text)

    def Crash(self) -> None:
        raise RuntimeError("This is no fault of the server.")

    def Sleep(self, milliseconds: int) -> dict[str, Any]:
        time.sleep(milliseconds / 1000)
        return {"milliseconds": milliseconds}

    @fastvarlink.method(upgrade=True)
    def Turn(self, _context: Any) -> None:
        _context.take_over(echo)

    @fastvarlink.method(descriptors=1)
    def Swap(self, text: str, _descriptors: Any) -> dict[str, Any]:
        """Give back what can be read from a pipe, and a pipe with the text in it."""
        with open(_descriptors.take(0), "rb") as pipe:
            came = pipe.read().decode()
        reader, writer = os.pipe()
        os.write(writer, text.encode())
        os.close(writer)
        _descriptors.give(reader)
        return {"text": came}


def when_input_ends(then: Callable[[], object]) -> None:
    sys.stdin.read()
    then()


def main() -> None:
    address, log, limits = [*sys.argv[1:], "{}"][:3]
    logging.basicConfig(filename=log)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with fastvarlink.ThreadingServer(
        address, service, limits=fastvarlink.Limits(**json.loads(limits))
    ) as server:
        threading.Thread(target=when_input_ends, args=(server.shutdown,), daemon=True).start()
        print("listening", flush=True)
        server.serve_forever()


main()
