"""Serve, or call, small calls with one of the other libraries for calls between processes.

Usage: peer.py NAME server PATH
       peer.py NAME unary|window PATH SECONDS
NAME is a module of peers/. Its ``serve(path, ready)`` serves at a unix socket; its ``connect(path)`` returns
a function that makes one call, and one that has so many under way at a time, or None where it cannot.
A server prints "ready" once it accepts, a client the nanoseconds a call. Every answer is compared.
"""

import importlib
import sys
from typing import Any

from clock import timed

WINDOW = 64


def main() -> None:
    """Do as asked."""
    _, name, mode, path, *numbers = sys.argv
    library: Any = importlib.import_module(f"peers.{name}")
    if mode == "server":
        library.serve(path, lambda: print("ready", flush=True))
        return
    single, many = library.connect(path)

    def one() -> None:
        if single("hello") != "hello":
            raise SystemExit("Ping was answered wrongly.")

    def window() -> None:
        if many("hello", WINDOW) != ["hello"] * WINDOW:
            raise SystemExit("Pings were answered wrongly.")

    seconds = float(numbers[0])
    result = timed(window, seconds, 1) / WINDOW if mode == "window" else timed(one, seconds, 20)
    print(f"{result:.1f}", flush=True)


main()
