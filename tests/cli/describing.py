"""A service that has whatever definitions a test gives it, however faulty, and sends back each call."""

from __future__ import annotations

import contextlib
import json
import socketserver
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any


class _Handler(socketserver.StreamRequestHandler):
    definitions: Mapping[str, str]

    def handle(self) -> None:
        waiting = b""
        while data := self.connection.recv(65536):
            *frames, waiting = (waiting + data).split(b"\0")
            for frame in frames:
                call = json.loads(frame)
                answer = self.answer(call["method"], call.get("parameters", {}))
                self.connection.sendall(json.dumps(answer).encode() + b"\0")

    def answer(self, method: str, parameters: dict[str, Any]) -> dict[str, Any]:
        if method == "org.varlink.service.GetInfo":
            names = list(self.definitions)
            info = dict.fromkeys(("vendor", "product", "version", "url"), "")
            return {"parameters": {**info, "interfaces": names}}
        if method == "org.varlink.service.GetInterfaceDescription":
            name = parameters["interface"]
            if name in self.definitions:
                return {"parameters": {"description": self.definitions[name]}}
            return {"error": "org.varlink.service.InterfaceNotFound", "parameters": {"interface": name}}
        return {"parameters": parameters}


@contextlib.contextmanager
def describing(path: Path, definitions: Mapping[str, str]) -> Iterator[str]:
    """The address of such a service, until the end of the block."""
    handler = type("Handler", (_Handler,), {"definitions": definitions})
    with socketserver.ThreadingUnixStreamServer(str(path), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"unix:{path}"
        finally:
            server.shutdown()
            thread.join()
