"""Print the nanoseconds that a library takes to read one interface definition.

Usage: parse.py fastvarlink|varlink SECONDS FILE
fastvarlink reads it to the specification, comments and all, and checks its names; varlink as it does.
"""

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter_ns
from typing import Any


def main() -> None:
    """Read the text until the seconds have passed, after a fifth of them to warm up."""
    library: Any = importlib.import_module(sys.argv[1])
    seconds, text = float(sys.argv[2]), Path(sys.argv[3]).read_text()
    read: Callable[[str], Any] = library.Interface
    if hasattr(read, "from_specification"):
        read = read.from_specification
    if read(text).name != Path(sys.argv[3]).name.removesuffix(".varlink"):
        raise SystemExit("The definition was read wrongly.")
    warm = perf_counter_ns() + seconds * 1e9 / 5
    while perf_counter_ns() < warm:
        read(text)
    done = 0
    begin = now = perf_counter_ns()
    while now - begin < seconds * 1e9:
        for _ in range(10):
            read(text)
        done += 10
        now = perf_counter_ns()
    print(f"{(now - begin) / done:.1f}")


main()
