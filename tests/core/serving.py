"""A small interface, a server for it in a thread, and a raw socket to call it with."""

from __future__ import annotations

import json
import socket
import threading
import uuid
from typing import Any, Self

import fastvarlink

INTERFACE = "org.example.core"
DESCRIPTION = f"""interface {INTERFACE}

method Tick(count: int) -> (number: int)
method Hold() -> ()
method Echo(text: string) -> (text: string)
method Ping() -> ()
method Kill() -> ()
"""
#: Reaching it means that something hangs, and fails the test.
PATIENCE = 10.0


def make_service(handler: Any, description: str = DESCRIPTION) -> fastvarlink.Service:
    """A service whose only interface, beside its own, is handled by the object."""
    service = fastvarlink.Service(vendor="Example", product="Core", version="1", url="https://example.org")
    interface = fastvarlink.Interface.from_specification(description)
    service.interfaces[interface.name] = interface
    service.interfaces_handlers[interface.name] = handler
    return service


def call(method: str, parameters: dict[str, Any] | None = None, **members: Any) -> bytes:
    """A call of the interface as a frame, NUL included."""
    message = {"method": f"{INTERFACE}.{method}", "parameters": parameters or {}, **members}
    return json.dumps(message).encode() + b"\0"


class Background:
    """A function that runs in a thread: what it returned or raised is kept."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.value: Any = None
        self.error: BaseException | None = None
        self._function = function
        self._arguments = arguments
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.value = self._function(*self._arguments)
        except BaseException as error:
            self.error = error

    def runs_on(self, seconds: float = 0.05) -> bool:
        """Whether it is still running after so long: for what is expected not to happen."""
        self._thread.join(seconds)
        return self._thread.is_alive()

    def wait(self) -> Self:
        """Wait for its end; fail if it does not come."""
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), f"{self._function} has not returned."
        return self

    def result(self) -> Any:
        """What it returned; raises what it raised."""
        self.wait()
        if self.error is not None:
            raise self.error
        return self.value


class Raw:
    """A connection that is spoken to in bytes."""

    def __init__(self, address: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        self.socket.connect("\0" + address.removeprefix("unix:@"))
        self._received = b""

    def send(self, *frames: bytes) -> None:
        self.socket.sendall(b"".join(frames))

    def reply(self) -> Any:
        """The next reply."""
        while b"\0" not in self._received:
            data = self.socket.recv(1 << 16)
            assert data, "The server has closed the connection."
            self._received += data
        frame, _, self._received = self._received.partition(b"\0")
        return json.loads(frame)

    def ask(self, method: str, parameters: dict[str, Any] | None = None) -> Any:
        """Call and return the reply."""
        self.send(call(method, parameters))
        return self.reply()

    def ended(self) -> bool:
        """Wait for the end; True if nothing came before it."""
        return self.socket.recv(1) == b""

    def close(self) -> None:
        self.socket.close()


class Running:
    """A server that serves in a thread."""

    def __init__(self, server_class: Any, handler_class: Any) -> None:
        self.address = f"unix:@fastvarlink-core-{uuid.uuid4().hex}"
        self.server = server_class(self.address, handler_class)
        self.thread = Background(self.server.serve_forever)
        self._raw: list[Raw] = []
        assert self.connect().ask("Ping") == {}

    def connect(self) -> Raw:
        """A new raw connection; it is closed with the server."""
        self._raw.append(Raw(self.address))
        return self._raw[-1]

    def end(self) -> None:
        for raw in self._raw:
            raw.close()
        self.server.shutdown()
        self.server.server_close()
        self.thread.result()
