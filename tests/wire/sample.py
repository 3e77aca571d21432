"""The service that the tests call, and a server for it in a thread of this process."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fastvarlink

from .drivers import LoopThread, in_loop
from .rawstream import PATIENCE

INTERFACE = "org.example.wire"

DESCRIPTION = """\
# What the tests of the wire rules call.
interface org.example.wire

# An element of a nested value.
type Item (name: string, size: int)

# Sends the text back.
method Ping(text: string) -> (text: string)

# Sends a text of the given length.
method Big(size: int) -> (text: string)

# Sends the items back.
method Items(items: []Item) -> (items: []Item)

# Takes any object and gives nothing.
method Swallow(value: object) -> ()

# Streams n replies.
method Count(n: int) -> (i: int)

# Streams two replies of which the second is sent once the gate is open.
method Gated() -> (i: int)

# Streams without end.
method Endless(size: int) -> (i: int, filler: string)

# Streams replies that grow from one to the next.
method Grow(first: int, second: int) -> (text: string)

# Streams one reply, then the error Failed.
method CountAndFail() -> (i: int)

# Streams one reply, then breaks.
method CountAndCrash() -> (i: int)

# Streams nothing and need not.
method Silent() -> ()

# Streams nothing, and need not, for its result may be absent.
method SilentOptional() -> (i: ?int)

# Streams nothing, though the declaration asks for a result.
method SilentRequired() -> (i: int)

# Waits until the gate is open.
method Hold(text: string) -> (text: string)

# Remembers the text.
method Record(text: string) -> ()

# Remembers the text and streams.
method RecordStream(text: string) -> (i: int)

# Remembers the text, then fails.
method RecordAndFail(text: string) -> ()

# Remembers the text, then breaks.
method RecordAndCrash(text: string) -> ()

# Always the error Failed.
method Fail(reason: string, code: int) -> ()

# Raises the named error of org.varlink.service.
method Refuse(name: string) -> ()

# Breaks in an unexpected way.
method Crash() -> ()

# Is declared and not written.
method Unwritten() -> ()

# It did not work.
error Failed (reason: string, code: int)
"""


# How a generator learns that its stream has been left: where it yields, or where it waits.
LEFT = (GeneratorExit, ConnectionError, asyncio.CancelledError)


class Failed(fastvarlink.VarlinkError):
    """The declared error of the interface."""

    def __init__(self, reason: str, code: int) -> None:
        super().__init__({"error": f"{INTERFACE}.Failed", "parameters": {"reason": reason, "code": code}})


class State:
    """What a test sees of the handlers, and the gate at which it holds them."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        #: Released once for each handler that has come to the gate.
        self.arrived = threading.Semaphore(0)
        self.recorded: list[str] = []
        self.endless_count = 0
        #: Set when an endless stream has been closed, with what ended it.
        self.endless_closed = threading.Event()
        self.endless_end: BaseException | None = None
        self.gated_closed = threading.Event()

    def wait_for_arrival(self, count: int = 1) -> None:
        for _ in range(count):
            assert self.arrived.acquire(timeout=PATIENCE), "No handler has come to the gate."

    def pass_gate(self) -> None:
        self.arrived.release()
        assert self.gate.wait(3 * PATIENCE), "The test has not opened the gate."


class Handlers:
    """The methods of org.example.wire."""

    def __init__(self, state: State) -> None:
        self._state = state

    def Ping(self, text: str) -> dict[str, Any]:
        return {"text": text}

    def Big(self, size: int) -> dict[str, Any]:
        return {"text": "x" * size}

    def Items(self, items: list[Any]) -> dict[str, Any]:
        return {"items": items}

    def Swallow(self, value: dict[str, Any]) -> dict[str, Any]:
        return {}

    def Count(self, n: int) -> Iterator[dict[str, Any]]:
        for i in range(n):
            yield {"i": i, "_continues": i + 1 < n}

    def Gated(self) -> Iterator[dict[str, Any]]:
        try:
            yield {"i": 0, "_continues": True}
            self._state.pass_gate()
            yield {"i": 1, "_continues": False}
        finally:
            self._state.gated_closed.set()

    def Endless(self, size: int) -> Iterator[dict[str, Any]]:
        filler = "x" * size
        try:
            while True:
                self._state.endless_count += 1
                yield {"i": self._state.endless_count, "filler": filler, "_continues": True}
        except BaseException as end:
            self._state.endless_end = end
            raise
        finally:
            self._state.endless_closed.set()

    def Grow(self, first: int, second: int) -> Iterator[dict[str, Any]]:
        yield {"text": "x" * first, "_continues": True}
        yield {"text": "x" * second, "_continues": False}

    def CountAndFail(self) -> Iterator[dict[str, Any]]:
        yield {"i": 0, "_continues": True}
        raise Failed("in the stream", 7)

    def CountAndCrash(self) -> Iterator[dict[str, Any]]:
        yield {"i": 0, "_continues": True}
        raise RuntimeError("a secret of the service")

    def Silent(self) -> Iterator[dict[str, Any]]:
        yield from ()

    def SilentOptional(self) -> Iterator[dict[str, Any]]:
        yield from ()

    def SilentRequired(self) -> Iterator[dict[str, Any]]:
        yield from ()

    def Hold(self, text: str) -> dict[str, Any]:
        self._state.pass_gate()
        return {"text": text}

    def Record(self, text: str) -> dict[str, Any]:
        self._state.recorded.append(text)
        return {}

    def RecordStream(self, text: str) -> Iterator[dict[str, Any]]:
        self._state.recorded.append(text)
        yield {"i": 0, "_continues": True}
        yield {"i": 1, "_continues": False}

    def RecordAndFail(self, text: str) -> dict[str, Any]:
        self._state.recorded.append(text)
        raise Failed("after recording", 1)

    def RecordAndCrash(self, text: str) -> dict[str, Any]:
        self._state.recorded.append(text)
        raise RuntimeError("a secret of the service")

    def Fail(self, reason: str, code: int) -> dict[str, Any]:
        raise Failed(reason, code)

    def Refuse(self, name: str) -> dict[str, Any]:
        raise fastvarlink.VarlinkError({"error": f"org.varlink.service.{name}", "parameters": {}})

    def Crash(self) -> dict[str, Any]:
        raise RuntimeError("a secret of the service")


def make_service(directory: Path, state: State, driver: str = "threads", **options: Any) -> Any:
    """A Service for the interface, whose description is written into the directory."""
    (directory / f"{INTERFACE}.varlink").write_text(DESCRIPTION)
    service = fastvarlink.Service(
        vendor="Example",
        product="Wire tests",
        version="1",
        url="https://example.com",
        interface_dir=str(directory),
        **options,
    )
    handlers = Handlers if driver in ("threads", "loop") else in_loop(Handlers, driver == "tasks")

    @service.interface(INTERFACE)
    class _Bound(handlers):  # type: ignore[valid-type, misc]
        def __init__(self) -> None:
            super().__init__(state)

    return service


class RunningServer:
    """A server with the sample service, serving in a thread until stop()."""

    def __init__(
        self,
        directory: Path,
        address: str | None = None,
        limits: fastvarlink.Limits | None = None,
        service: fastvarlink.Service | None = None,
        strict: bool = True,
        driver: str = "threads",
        **options: Any,
    ) -> None:
        self.state = State()
        self.stopped = False
        service = service or make_service(directory, self.state, driver, **options)
        address = address or f"unix:{directory}/socket"
        self.server: Any
        if driver == "threads":
            handler = type("SampleHandler", (fastvarlink.RequestHandler,), {"service": service})
            self.server = fastvarlink.ThreadingServer(address, handler, limits=limits, strict=strict)
            self._thread = threading.Thread(
                target=self.server.serve_forever, name="sample server", daemon=True
            )
        else:
            self.server = LoopThread(driver, service, address, limits, strict)
        bound = self.server.server_address
        self.address = (
            f"tcp:{bound[0]}:{bound[1]}" if isinstance(bound, tuple) else f"unix:{directory}/socket"
        )
        self._driver = driver
        if driver == "threads":
            self._thread.start()

    def stop(self) -> None:
        """Let the held handlers go, stop serving, close; all of it is over on return."""
        self.stopped = True
        self.state.gate.set()
        if self._driver != "threads":
            self.server.stop()
            return
        # In a thread of its own, so that a shutdown() that never returns fails the test.
        stopper = threading.Thread(target=self.server.shutdown, name="sample stopper", daemon=True)
        stopper.start()
        stopper.join(PATIENCE)
        assert not stopper.is_alive(), "shutdown() has not returned."
        self.server.server_close()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), "serve_forever() has not returned after shutdown()."
