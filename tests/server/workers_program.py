"""A service that is served by several processes.

The first argument has options of serve(), constants of the supervisor, and the path of a module with the
service's ``text``, as JSON; addresses follow.
"""

from __future__ import annotations

import importlib.util
import json
import logging
import os
import sys
from typing import Any

import fastvarlink
from fastvarlink.server import supervisor

DESCRIPTION = """interface org.example.workers
method Pid() -> (pid: int)
method Text() -> (text: string)
method Hold(gate: string) -> (pid: int)
method Follow() -> (i: int)
"""


def make(text: str) -> fastvarlink.Service:
    service = fastvarlink.Service("Example", "Workers", "1", "https://example.com")

    @service.interface(DESCRIPTION)
    class Workers:
        def Pid(self) -> dict[str, Any]:
            return {"pid": os.getpid()}

        def Text(self) -> dict[str, Any]:
            return {"text": text}

        def Hold(self, gate: str) -> dict[str, Any]:
            """Waits until somebody writes into the FIFO."""
            print("held", flush=True)
            with open(gate, encoding="utf-8") as fifo:
                fifo.read()
            return {"pid": os.getpid()}

        def Follow(self, _context: fastvarlink.Context) -> Any:
            i = 0
            while not _context.stopping:
                i += 1
                yield {"i": i, "_continues": True}
            yield {"i": 0}

    return service


def load(path: str) -> fastvarlink.Service:
    """The service with the text that the module has now."""
    spec = importlib.util.spec_from_file_location("text", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return make(module.text)


if __name__ == "__main__":
    logging.basicConfig(format="%(message)s")
    options, constants, path = json.loads(sys.argv[1])
    for name, value in constants.items():
        assert hasattr(supervisor, name)
        setattr(supervisor, name, value)
    sys.dont_write_bytecode = True
    fastvarlink.serve(
        (lambda: load(path)) if path else make("built in"),
        *sys.argv[2:],
        ready=lambda: print("ready", flush=True),
        **options,
    )
    print("returned", flush=True)
