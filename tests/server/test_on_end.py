"""Context.on_end(): a handler that waits learns at once that it need not wait any longer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest

import fastvarlink
from wire.rawstream import PATIENCE, RawStream, call

INTERFACE = "org.example.ending"
DESCRIPTION = f"""interface {INTERFACE}
method Wait() -> (said: string)
method Follow() -> (said: string)
method Ping() -> ()
method Keep() -> (said: string)
method Stream() -> (said: string)
method Fail() -> (said: string)
"""


class Handlers:
    def __init__(self) -> None:
        # What handlers wait for, and what they tell the test.
        self.wake: SimpleQueue[str] = SimpleQueue()
        self.told: SimpleQueue[str] = SimpleQueue()
        self.kept: list[fastvarlink.Context] = []

    def Ping(self) -> None:
        pass

    def _wait(self, context: fastvarlink.Context) -> str:
        with context.on_end(lambda: self.wake.put("ended")):
            self.told.put("waiting")
            said = self.wake.get(timeout=PATIENCE)
        self.told.put(f"{said} {context.cancelled} {context.stopping}")
        return said

    def Wait(self, _context: fastvarlink.Context) -> dict[str, Any]:
        return {"said": self._wait(_context)}

    def Follow(self, _context: fastvarlink.Context) -> Iterator[dict[str, Any]]:
        try:
            yield {"said": "begun", "_continues": True}
            yield {"said": self._wait(_context), "_continues": False}
        finally:
            self.told.put("left")

    def Keep(self, _context: fastvarlink.Context) -> dict[str, Any]:
        """Registers something for longer than the call."""
        self.kept.append(_context)
        _context.on_end(lambda: self.told.put("kept"))
        _context.on_end(lambda: self.told.put("closed")).close()
        return {"said": "registered"}

    def Stream(self, _context: fastvarlink.Context) -> Iterator[dict[str, Any]]:
        """Does not look whether it should end."""
        _context.on_end(lambda: self.told.put("kept"))
        try:
            while True:
                yield {"said": "more", "_continues": True}
        finally:
            self.told.put("left")

    @fastvarlink.method(sensitive=True)
    def Fail(self, _context: fastvarlink.Context) -> dict[str, Any]:
        secret = "hunter2"

        def fail() -> None:
            raise ValueError(secret)

        _context.on_end(fail)
        return {"said": self._wait(_context)}


def service_of(handlers: Handlers) -> fastvarlink.Service:
    service = fastvarlink.Service()
    service.interfaces[INTERFACE] = fastvarlink.Interface.from_specification(DESCRIPTION)
    service.interfaces_handlers[INTERFACE] = handlers
    return service


class Serving:
    """A server in a thread, and its handlers."""

    def __init__(self, directory: Path, handler_class: Any = None) -> None:
        self.handlers = Handlers()
        service = service_of(self.handlers)
        self.address = f"unix:{directory}/socket"
        given = service if handler_class is None else type("Own", (handler_class,), {"service": service})
        self.server = fastvarlink.ThreadingServer(self.address, given)
        # Nothing here waits that long, or the test fails.
        self.server.close_timeout = PATIENCE
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def told(self) -> str:
        return self.handlers.told.get(timeout=PATIENCE)

    def connect(self) -> RawStream:
        return RawStream.connect(self.address)

    def waiting(self, method: str = "Wait", **members: Any) -> RawStream:
        """A connection with a handler that waits."""
        stream = self.connect()
        stream.send(call(f"{INTERFACE}.{method}", **members))
        assert self.told() == "waiting"
        return stream

    def end(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Serving]]:
    started: list[Serving] = []

    def start(handler_class: Any = None) -> Serving:
        started.append(Serving(tmp_path, handler_class))
        return started[-1]

    yield start
    for each in started:
        each.end()


@pytest.fixture
def serving(serve: Callable[..., Serving]) -> Serving:
    return serve()


@pytest.mark.parametrize("method", ["Wait", "Follow"])
def test_a_handler_that_waits_learns_that_its_client_has_gone(serving: Serving, method: str) -> None:
    # The second time the method is known to be slow, and gets a thread of its own before it is called.
    for _ in range(4):
        stream = serving.waiting(method, more=method == "Follow")
        stream.close()
        assert serving.told() == "ended True False"
        if method == "Follow":
            assert serving.told() == "left"


def test_more_calls_do_not_hide_that_the_client_has_gone(serving: Serving) -> None:
    stream = serving.waiting()
    stream.send(call(f"{INTERFACE}.Ping") * 500)
    stream.close()
    assert serving.told() == "ended True False"


def test_a_client_that_only_sends_no_more_has_not_gone(serving: Serving) -> None:
    stream = serving.waiting()
    stream.end_writing()
    with serving.connect() as other:
        for _ in range(3):
            other.send(call(f"{INTERFACE}.Ping"))
            assert other.read_reply() == {}
    serving.handlers.wake.put("released")
    assert stream.read_reply() == {"parameters": {"said": "released"}}
    assert serving.told() == "released False False"
    stream.close()


def test_a_handler_that_waits_learns_that_the_server_drains(serving: Serving) -> None:
    with serving.waiting("Follow", more=True) as stream:
        assert stream.read_reply()["continues"]
        serving.server.drain()
        assert stream.read_reply() == {"parameters": {"said": "ended"}}
        stream.expect_end()
    assert serving.told() == "ended False True"
    serving.thread.join(PATIENCE)
    assert not serving.thread.is_alive()


def test_a_handler_that_waits_does_not_hold_up_the_end_of_its_server(serving: Serving) -> None:
    with serving.waiting() as stream:
        before = time.monotonic()
        serving.end()
        assert time.monotonic() - before < PATIENCE / 2
        assert serving.told() == "ended True False"
        stream.expect_end()


def test_what_is_registered_ends_with_its_call(serving: Serving) -> None:
    with serving.connect() as stream:
        stream.send(call(f"{INTERFACE}.Keep") * 2)
        stream.read_replies(2)
        stream.send(call(f"{INTERFACE}.Wait"))
        assert serving.told() == "waiting"
        # Who comes too late is told at once.
        serving.handlers.kept[0].on_end(lambda: serving.handlers.told.put("late"))
        assert serving.told() == "late"
    assert serving.told() == "ended True False"
    # Now everything that had to be called has been.
    serving.end()
    assert serving.handlers.told.empty()
    with serving.handlers.kept[0].on_end(lambda: serving.handlers.told.put("later")):
        assert serving.told() == "later"


def test_a_failure_of_what_is_registered_is_logged(
    serving: Serving, caplog: pytest.LogCaptureFixture
) -> None:
    with serving.waiting("Fail"):
        pass
    assert serving.told() == "ended True False"
    serving.end()
    (record,) = caplog.records
    assert "org.example.ending.Fail failed with ValueError" in record.getMessage()
    # The method is sensitive: what the exception says is not shown.
    assert "hunter2" not in caplog.text


class OwnThread(fastvarlink.RequestHandler):
    """Overrides something, and so gets a thread for each connection."""

    def setup(self) -> None:
        super().setup()


def test_a_thread_of_its_own_finds_out_when_it_writes(serve: Callable[..., Serving]) -> None:
    serving = serve(OwnThread)
    with serving.connect() as stream:
        stream.send(call(f"{INTERFACE}.Stream", more=True))
        assert stream.read_reply() == {"parameters": {"said": "more"}, "continues": True}
    assert serving.told() == "kept"
    assert serving.told() == "left"


def test_without_a_connection_an_abandoned_stream_tells() -> None:
    handlers = Handlers()
    replies = iter(service_of(handlers).handle(call(f"{INTERFACE}.Stream", more=True)))
    assert next(replies)
    assert handlers.told.empty()
    replies.close()  # type: ignore[attr-defined]
    assert handlers.told.get(timeout=PATIENCE) == "kept"
