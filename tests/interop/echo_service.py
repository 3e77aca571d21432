"""org.example.echo as a program of its own, for other implementations' clients. Takes its address."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import fastvarlink

service = fastvarlink.Service(
    vendor="fastvarlink",
    product="Echo — naïve",
    version="1",
    url="https://varlink.org",
    interface_dir=str(Path(__file__).parent),
)


class Refused(fastvarlink.VarlinkError):
    def __init__(self, reason: str | None, number: int | None = None) -> None:
        parameters = {"reason": reason, "number": number}
        super().__init__({"error": "org.example.echo.Refused", "parameters": parameters})


@service.interface("org.example.echo")
class Echo:
    def __init__(self) -> None:
        self._notes: list[str] = []
        self._released = threading.Event()

    def Say(self, word: Any, times: int | None, weight: float | None, extra: Any) -> dict[str, Any]:
        return {"word": word, "times": times, "weight": weight, "extra": extra}

    def Count(self, last: int, fail: bool | None) -> Iterator[dict[str, Any]]:
        for number in range(1, last + 1):
            yield {"number": number, "_continues": bool(fail) or number < last}
        if fail:
            raise Refused("That is all.", last)

    def Refuse(self, reason: str | None) -> NoReturn:
        raise Refused(reason)

    def Note(self, text: str) -> None:
        self._notes.append(text)

    def Notes(self) -> dict[str, Any]:
        return {"texts": self._notes}

    def Wait(self) -> None:
        self._released.wait()

    def Release(self) -> None:
        self._released.set()


def stop(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, stop)
    try:
        with fastvarlink.ThreadingServer(sys.argv[1], service) as server:
            print("Listening", flush=True)
            server.serve_forever()
    except KeyboardInterrupt:
        pass
