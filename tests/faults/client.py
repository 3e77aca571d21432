"""Our client, as a program: client.py PATH. For each line on its input it tells what a conversation gave."""

from __future__ import annotations

import ctypes
import gc
import json
import os
import sys
from typing import Any

import fastvarlink

INTERFACE = "org.example.faults"
LIBRARY = ctypes.PyDLL(None)


def converse(path: str) -> list[Any]:
    given: list[Any] = []
    with fastvarlink.Client(f"unix:{path}") as client, client.open(INTERFACE) as handler:
        given.append(handler.Echo("one"))
        given.extend(reply["i"] for reply in handler.Count(5, _more=True))
        handler.Record("noted", _oneway=True)
        given.append(handler.Recorded())
        given.append(len(handler.Echo("x" * 100_000)["text"]))
        # Whatever finds no memory, nothing stays open here.
        with fastvarlink.Descriptors() as descriptors:
            there = os.memfd_create("there")
            try:
                os.write(there, b"there")
                os.lseek(there, 0, os.SEEK_SET)
                number = descriptors.give(there)
            except BaseException:
                os.close(there)
                raise
            reply = handler.Swap(number, _descriptors=descriptors)
            answer = descriptors.take(reply["file"])
            try:
                given.append(os.read(answer, 100).decode())
            finally:
                os.close(answer)
    return given


def let_objects_fail(whether: int) -> None:
    """Have what follows be counted, and fail; at the second try where the first finds no memory itself."""
    try:
        LIBRARY.let_objects_fail(whether)
    except MemoryError:
        LIBRARY.let_objects_fail(whether)


def main(path: str) -> None:
    let_objects_fail(0)
    LIBRARY.watch_python_memory()
    for _ in sys.stdin:
        let_objects_fail(1)
        try:
            told: dict[str, Any] = {"given": converse(path)}
        except (OSError, MemoryError) as failure:
            told = {"failed": [type(failure).__name__]}
        let_objects_fail(0)
        # An exception holds on to what it came through, in a circle at times.
        gc.collect()
        told["descriptors"] = [len(os.listdir("/proc/self/fd"))]
        print(json.dumps(told), flush=True)


main(*sys.argv[1:])
