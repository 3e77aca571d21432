"""Our client, as a program: client.py PATH. For each line on its input it tells what a conversation gave."""

from __future__ import annotations

import ctypes
import json
import os
import sys
from typing import Any

import fastvarlink

INTERFACE = "org.example.faults"


def converse(path: str) -> list[Any]:
    given: list[Any] = []
    with fastvarlink.Client(f"unix:{path}") as client, client.open(INTERFACE) as handler:
        given.append(handler.Echo("one"))
        given.extend(reply["i"] for reply in handler.Count(5, _more=True))
        handler.Record("noted", _oneway=True)
        given.append(handler.Recorded())
        given.append(len(handler.Echo("x" * 100_000)["text"]))
        reading, writing = os.pipe()
        os.write(writing, b"there")
        os.close(writing)
        with fastvarlink.Descriptors() as descriptors:
            handler_reply = handler.Swap(descriptors.give(reading), _descriptors=descriptors)
            with open(descriptors.take(handler_reply["file"]), encoding="utf-8") as file:
                given.append(file.read())
    return given


def main(path: str) -> None:
    ctypes.PyDLL(None).watch_python_memory()
    for _ in sys.stdin:
        try:
            told = {"given": converse(path)}
        except (OSError, MemoryError) as failure:
            told = {"failed": [type(failure).__name__]}
        told["descriptors"] = [len(os.listdir("/proc/self/fd"))]
        print(json.dumps(told), flush=True)


main(*sys.argv[1:])
