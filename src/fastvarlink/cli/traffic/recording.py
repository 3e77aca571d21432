"""Recordings of traffic: the lines of JSON that tell of each event, written and read.

docs/command.md describes them. Members are added, never changed; FORMAT changes when that cannot be helped.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from fastvarlink.cli.fault import REJECTED, fail
from fastvarlink.cli.traffic.event import Event

__all__ = ["FORMAT", "Record", "first_line", "line_of", "read_recording", "record_of"]

FORMAT = "varlink-traffic-1"
_WITH_MESSAGE = ("call", "reply")


def first_line(listen: str, service: str, start: datetime) -> dict[str, Any]:
    """The first line of a recording: what it is, and when it began."""
    return {
        "kind": "start",
        "format": FORMAT,
        "start": start.isoformat(timespec="microseconds"),
        "listen": listen,
        "service": service,
    }


def record_of(event: Event) -> dict[str, Any]:
    """An event as what its line says."""
    record = _head(event)
    if event.kind in _WITH_MESSAGE:
        record["message"] = event.message
    return record


def line_of(event: Event) -> str:
    """An event as its line. A message stands there as it was written."""
    line = json.dumps(_head(event), separators=(",", ":"))
    if event.kind not in _WITH_MESSAGE:
        return line
    text = event.text
    if "\n" in text or "\r" in text:
        text = json.dumps(event.message, separators=(",", ":"))
    return f'{line[:-1]},"message":{text.strip()}}}'


def _head(event: Event) -> dict[str, Any]:
    record: dict[str, Any] = {"kind": event.kind, "time": event.time / 1e9, "connection": event.connection}
    if event.side is not None:
        record["from"] = event.side
    if event.kind in _WITH_MESSAGE:
        record["call"] = event.call or None
        record["method"] = event.method or None
        record["size"] = event.size
    if event.kind == "reply":
        record["latency"] = None if event.latency is None else event.latency / 1e9
    if event.descriptors:
        record["descriptors"] = event.descriptors
    if event.kind == "broken":
        record["size"] = event.size
        record["base64"] = base64.b64encode(event.data).decode()
    if event.why:
        record["why"] = event.why
    if event.sent is not None:
        record["sent"] = event.sent
    return record


class Record(NamedTuple):
    """A line of a recording, as far as it is needed to play it again."""

    kind: str
    time: float
    connection: int
    call: int
    method: str
    message: dict[str, Any]
    #: Whether file descriptors came with it, which are not there any more.
    descriptors: bool


def read_recording(path: str) -> list[Record]:
    """The events of a recording. Fails with a sentence if it is none."""
    try:
        with open(path, "rb") as file:
            return list(_records(path, file.read()))
    except OSError as error:
        fail(f"The recording {path!r} cannot be read: {error.strerror}.", REJECTED)


def _records(path: str, data: bytes) -> Iterator[Record]:
    # What follows the last line's end is one that was being written when the monitor was killed.
    lines = data.split(b"\n")[:-1]
    values = [_value(path, number, line) for number, line in enumerate(lines, 1)]
    if not values or values[0].get("format") != FORMAT:
        fail(
            f"{path!r} is no recording of traffic: its first line does not say {FORMAT!r}. "
            "'varlink monitor -o FILE' makes recordings.",
            REJECTED,
        )
    for number, value in enumerate(values[1:], 2):
        try:
            yield _record(value)
        except (KeyError, TypeError, ValueError) as error:
            fail(
                f"Line {number} of the recording {path!r} lacks something, or has it wrong: {error}.",
                REJECTED,
            )


def _value(path: str, number: int, line: bytes) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        fail(f"Line {number} of the recording {path!r} is not JSON: {error}.", REJECTED)
    if not isinstance(value, dict):
        fail(f"Line {number} of the recording {path!r} is no JSON object.", REJECTED)
    return value


def _record(value: dict[str, Any]) -> Record:
    kind = value["kind"]
    message = value["message"] if kind in _WITH_MESSAGE else {}
    if not isinstance(message, dict):
        raise TypeError("message is no object")
    return Record(
        kind,
        float(value["time"]),
        int(value["connection"]),
        int(value.get("call") or 0),
        str(value.get("method") or ""),
        message,
        bool(value.get("descriptors")),
    )
