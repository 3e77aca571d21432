"""The interface that these tests call, and its handlers."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fastvarlink

INTERFACE = "org.example.dropin"

# Long enough for a loaded machine; nothing waits that long unless it fails.
PATIENCE = 10.0

DESCRIPTION = """\
# What the tests of the drop-in call.
interface org.example.dropin

type Point (x: int, y: int)

type Level (low, middle, high)

# Sends back what it was given.
# In two lines.
method Echo(
    text: string,
    number: ?int,
    point: ?Point,
    tags: ?[string](),
    numbers: ?[]int,
    level: ?Level
) -> (
    text: string,
    number: ?int,
    point: ?Point,
    tags: ?[string](),
    numbers: ?[]int,
    level: ?Level
)

method Kinds(bool: bool, int: int, float: float, string: string) -> (kinds: []string)

# Counts, one reply for each number.
method Count(to: int) -> (number: int)

# Streams until it is left.
method Forever() -> (number: int)

# Streams one reply, then waits for the gate.
method Held() -> (number: int)

method Fail(reason: string) -> ()
method Remember(text: string) -> ()
method Remembered() -> (texts: []string)
method Thread() -> (name: string, pid: int)
method Stop() -> ()
method Unwritten() -> ()

error Failed (reason: string, code: ?int)
"""


class Failed(fastvarlink.VarlinkError):
    """The declared error."""

    def __init__(self, reason: str) -> None:
        message = {"error": f"{INTERFACE}.Failed", "parameters": {"reason": reason}}
        fastvarlink.VarlinkError.__init__(self, message)


class State:
    """What the handlers leave behind for the tests."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.remembered = threading.Event()
        self.gate = threading.Event()
        self.left = threading.Event()
        self.left_by: BaseException | None = None


class Handlers:
    """The methods of org.example.dropin."""

    def __init__(self, state: State) -> None:
        self._state = state

    def Echo(self, text: str, number: Any, point: Any, tags: Any, numbers: Any, level: Any) -> dict[str, Any]:
        return {
            "text": text,
            "number": number,
            "point": point,
            "tags": tags,
            "numbers": numbers,
            "level": level,
        }

    def Kinds(self, _bool: bool, _int: int, _float: float, _string: str) -> dict[str, Any]:
        return {"kinds": [type(value).__name__ for value in (_bool, _int, _float, _string)]}

    def Count(self, to: int, _more: bool = False) -> Iterator[dict[str, Any]]:
        if not _more:
            yield {"number": to, "_continues": False}
            return
        for number in range(1, to + 1):
            yield {"number": number, "_continues": number < to}

    def Forever(self) -> Iterator[dict[str, Any]]:
        number = 0
        try:
            while True:
                yield {"number": number, "_continues": True}
                number += 1
        except BaseException as reason:
            self._state.left_by = reason
            raise
        finally:
            self._state.left.set()

    def Held(self) -> Iterator[dict[str, Any]]:
        yield {"number": 0, "_continues": True}
        assert self._state.gate.wait(3 * PATIENCE)
        yield {"number": 1, "_continues": False}

    def Fail(self, reason: str) -> dict[str, Any]:
        raise Failed(reason)

    def Remember(self, text: str) -> None:
        self._state.texts.append(text)
        self._state.remembered.set()

    def Remembered(self) -> dict[str, Any]:
        return {"texts": self._state.texts}

    def Thread(self) -> dict[str, Any]:
        return {"name": threading.current_thread().name, "pid": os.getpid()}

    def Stop(self, _request: Any, _server: Any) -> dict[str, Any]:
        _server.shutdown()
        return {}


def make_service(folder: Path, state: State | None = None, **options: Any) -> fastvarlink.Service:
    """A service with the sample interface, whose definition is put into the folder."""
    (folder / f"{INTERFACE}.varlink").write_text(DESCRIPTION)
    service = fastvarlink.Service(
        vendor="Example",
        product="Drop-in",
        version="7",
        url="https://example.org/",
        interface_dir=str(folder),
        **options,
    )
    service._add_interface(INTERFACE, Handlers(state or State()))
    return service
