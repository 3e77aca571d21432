"""A service that passes descriptors and hands connections over, and servers of each kind for it."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fastvarlink

from .rawstream import PATIENCE

INTERFACE = "org.example.passing"

DESCRIPTION = """\
interface org.example.passing

# Sends the text back.
method Ping(text: string) -> (text: string)

# Reads what each descriptor holds.
method Read() -> (texts: []string)

# Reads what its one descriptor holds.
method ReadOne() -> (text: string)

# Gives a descriptor for each text.
method Write(texts: []string) -> (count: int)

# Gives a descriptor with each of n replies.
method WriteEach(n: int) -> (i: int)

# Gives a descriptor, then breaks.
method WriteAndFail() -> ()

# Hands the connection over, unless it refuses: what is sent comes back in capitals.
method Shout(refuse: bool, size: int) -> (filler: string)

# Hands the connection over by its bare descriptor.
method ShoutBare() -> ()

error Refused ()
"""


class Refused(fastvarlink.VarlinkError):
    def __init__(self) -> None:
        super().__init__({"error": f"{INTERFACE}.Refused"})


def holding(text: str) -> int:
    """A descriptor from which the text can be read, and then its end."""
    reading, writing = os.pipe()
    os.write(writing, text.encode())
    os.close(writing)
    return reading


def held(fd: int) -> str:
    """What a descriptor of holding() holds; it is closed."""
    with open(fd, encoding="utf-8") as file:
        return file.read()


class Passing:
    """The methods of org.example.passing."""

    def __init__(self) -> None:
        #: Descriptors that were seen, whether they are inherited by children.
        self.inheritable: list[bool] = []

    def Ping(self, text: str) -> dict[str, Any]:
        return {"text": text}

    def Read(self, _descriptors: fastvarlink.Descriptors) -> dict[str, Any]:
        self.inheritable += [os.get_inheritable(fd) for fd in _descriptors]
        return {"texts": [held(_descriptors.take(i)) for i in range(len(_descriptors))]}

    @fastvarlink.method(descriptors=1)
    def ReadOne(self, _descriptors: fastvarlink.Descriptors) -> dict[str, Any]:
        # It is not taken, and so closed after the call.
        return {"text": os.read(_descriptors[0], 1000).decode()}

    def Write(self, texts: list[str], _descriptors: fastvarlink.Descriptors) -> dict[str, Any]:
        for i, text in enumerate(texts):
            assert _descriptors.give(holding(text)) == i
        return {"count": len(texts)}

    def WriteEach(self, n: int, _descriptors: fastvarlink.Descriptors) -> Iterator[dict[str, Any]]:
        for i in range(n):
            _descriptors.give(holding(str(i)))
            yield {"i": i, "_continues": i + 1 < n}

    def WriteAndFail(self, _descriptors: fastvarlink.Descriptors) -> dict[str, Any]:
        _descriptors.give(holding("never seen"))
        raise RuntimeError("a secret of the service")

    @fastvarlink.method(upgrade=True)
    def Shout(self, refuse: bool, size: int, _context: fastvarlink.Context) -> dict[str, Any]:
        def shout(connection: Any) -> None:
            while data := connection.recv(4096):
                connection.sendall(data.upper())

        _context.take_over(shout)
        if refuse:
            raise Refused()
        return {"filler": "x" * size}

    @fastvarlink.method(upgrade=True)
    def ShoutBare(self, _context: fastvarlink.Context) -> dict[str, Any]:
        def shout(connection: Any) -> None:
            while data := os.read(connection.fileno(), 4096):
                os.write(connection.fileno(), data.upper())

        _context.take_over(shout)
        return {}


class PassingServer:
    """A server of a class, serving in a thread until stop()."""

    def __init__(
        self, directory: Path, kind: type[fastvarlink.Server], descriptors: bool = True, **options: Any
    ) -> None:
        self.handlers = Passing()
        service = fastvarlink.Service()
        service.interface(DESCRIPTION, descriptors=descriptors)(lambda: self.handlers)  # type: ignore[type-var]
        self.address = f"unix:{directory}/passing"
        self.server: Any = kind(self.address, service, **options)
        self._thread = threading.Thread(target=self.server.serve_forever, name="passing server")
        self._thread.start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()
