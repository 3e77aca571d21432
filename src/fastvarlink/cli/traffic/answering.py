"""A service that knows nothing but a recording, and answers each call in it as it was answered."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterable
from socket import socket
from threading import Lock, Thread
from typing import Any

from fastvarlink._core.framing import FrameReader, frame_of
from fastvarlink.cli.traffic.recording import Record
from fastvarlink.error import ProtocolError
from fastvarlink.limits import Limits

__all__ = ["Answering", "Book"]

CHUNK = 65536
UNKNOWN = "fastvarlink.replay.NotRecorded"

#: What tells one call from another: its method, its parameters, and whether it asks for more or an upgrade.
_Key = tuple[str, str, bool, bool]
#: Replies, and the seconds from the call to each.
_Replies = list[tuple[float, dict[str, Any]]]


class Book:
    """The recorded replies, by their calls.

    A call that was recorded several times gets the replies in their order, and from then on those of the
    last.
    """

    def __init__(self, records: Iterable[Record]) -> None:
        self._lock = Lock()
        self._answers: dict[_Key, list[_Replies]] = {}
        under_way: dict[tuple[int, int], tuple[Record, _Replies]] = {}
        for record in records:
            place = record.connection, record.call
            if record.kind == "call":
                under_way[place] = record, []
            elif record.kind == "reply" and place in under_way:
                call, replies = under_way[place]
                if not replies:
                    self._answers.setdefault(_key(call.message), []).append(replies)
                replies.append((record.time - call.time, record.message))

    def __len__(self) -> int:
        return sum(map(len, self._answers.values()))

    def replies(self, call: dict[str, Any]) -> _Replies:
        """The replies to a call: an error if it was not recorded."""
        with self._lock:
            answers = self._answers.get(_key(call))
            if answers is None:
                return [(0.0, {"error": UNKNOWN, "parameters": {"method": str(call.get("method"))}})]
            return answers.pop(0) if len(answers) > 1 else answers[0]


def _key(call: dict[str, Any]) -> _Key:
    parameters = json.dumps(call.get("parameters") or {}, sort_keys=True)
    return str(call.get("method")), parameters, bool(call.get("more")), bool(call.get("upgrade"))


class Answering:
    """Answers whoever connects, each in a thread. ``speed`` 0 answers at once, 1 after the recorded time."""

    def __init__(self, book: Book, speed: float) -> None:
        self._book = book
        self._speed = speed

    def serve(self, endpoint: socket) -> None:
        """Answer for ever."""
        while True:
            connection, _ = endpoint.accept()
            Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket) -> None:
        reader = FrameReader(Limits().max_message_size)
        # Who leaves, or sends what is no call, is left alone.
        with connection, contextlib.suppress(OSError, ProtocolError, ValueError, RecursionError):
            while data := connection.recv(CHUNK):
                reader.receive(data)
                while (frame := reader.next_frame()) is not None:
                    call = json.loads(frame)
                    if not isinstance(call, dict) or self._answer(connection, call):
                        return

    def _answer(self, connection: socket, call: dict[str, Any]) -> bool:
        """Answer a call. True when the connection is to be closed, as nobody knows what followed."""
        if call.get("oneway") is True:
            return False
        came = time.monotonic()
        for after, reply in self._book.replies(call):
            if self._speed:
                time.sleep(max(0.0, came + after / self._speed - time.monotonic()))
            text = json.dumps(reply, ensure_ascii=False, separators=(",", ":"))
            connection.sendall(frame_of(text.encode("utf-8", "backslashreplace")))
        return call.get("upgrade") is True and reply.get("error") is None
