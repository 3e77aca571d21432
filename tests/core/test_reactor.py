"""Who waits, who is overtaken, and how it all stops and starts again."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import fastvarlink

from .serving import PATIENCE, Background, Raw, Running, call, make_service

both = pytest.mark.parametrize(
    "server_class", [fastvarlink.Server, fastvarlink.ThreadingServer], ids=lambda cls: cls.__name__
)


class Pinging:
    def Ping(self) -> None:
        pass


def fresh_address() -> str:
    return f"unix:@fastvarlink-core-{uuid.uuid4().hex}"


def test_a_stream_on_another_thread_does_not_hide_a_leader_that_is_held_up(
    serve: Callable[..., Running], gate: threading.Event
) -> None:
    """The steps of a stream on an overtaken thread counted as the leader's, so nobody relieved the leader."""
    overtaken, held, over = threading.Event(), threading.Event(), threading.Event()

    class Handler(Pinging):
        def Tick(self, count: int) -> Iterator[dict[str, Any]]:
            assert overtaken.wait(PATIENCE)
            while not over.wait(0.0003):
                yield {"number": count, "_continues": True}
            yield {"number": count}

        def Hold(self) -> None:
            held.set()
            assert gate.wait(PATIENCE)

    running = serve(Handler())
    streaming, holding, pinging = (running.connect() for _ in range(3))
    streaming.send(call("Tick", {"count": 1}, more=True))
    assert pinging.ask("Ping") == {}
    overtaken.set()

    def drain() -> None:
        while streaming.reply().get("continues"):
            pass

    draining = Background(drain)
    try:
        holding.send(call("Hold"))
        assert held.wait(PATIENCE)
        assert pinging.ask("Ping") == {}
        assert not gate.is_set()
    finally:
        gate.set()
        over.set()
        draining.wait()
    assert holding.reply() == {}


def test_serving_again_at_once_while_clients_call(serve: Callable[..., Running]) -> None:
    """A restart at once after shutdown() could leave a connection that no reactor watched any more."""
    running = serve(Pinging())
    over = threading.Event()

    def serve_again() -> None:
        while not over.is_set():
            running.server.serve_forever()

    def keep_calling(raw: Any, enough: Callable[[], bool]) -> int:
        calls = 0
        while not enough():
            assert raw.ask("Ping") == {}
            calls += 1
        return calls

    running.server.shutdown()
    running.thread.result()
    running.thread = Background(serve_again)
    connections = [running.connect() for _ in range(6)]
    restarted = threading.Event()
    clients = [Background(keep_calling, raw, restarted.is_set) for raw in connections]
    try:
        for _ in range(150):
            running.server.shutdown()
            restarted.wait(0.002)
        assert running.thread.runs_on(0)
        restarted.set()
        for client in clients:
            client.result()
        # Now that it is left alone, every connection is served.
        for raw in connections:
            for _ in range(10):
                assert raw.ask("Ping") == {}
        assert running.connect().ask("Ping") == {}
    finally:
        restarted.set()
        over.set()


@pytest.mark.usefixtures("_eager_threads")
@both
def test_shutdown_in_the_instant_in_which_serving_begins(server_class: Any) -> None:
    """shutdown() while serve_forever() was beginning was forgotten, or waited for ever."""
    service = make_service(Pinging())
    for _ in range(150):
        with server_class(fresh_address(), service) as server:
            serving = Background(server.serve_forever)
            stopping = Background(server.shutdown)
            stopping.result()
            serving.result()


def test_one_thread_serves_in_one_way_after_the_other() -> None:
    """What the first has made of the thread must not keep the second from finding one to lead."""
    service = make_service(Pinging())
    servers = {
        address: server_class(address, service)
        for server_class in (fastvarlink.Server, fastvarlink.ThreadingServer) * 2
        for address in [fresh_address()]
    }

    def serve() -> None:
        for server in servers.values():
            server.serve_forever()

    thread = Background(serve)
    for address, server in servers.items():
        raw = Raw(address)
        try:
            assert raw.ask("Ping") == {}
        finally:
            raw.close()
        server.shutdown()
        server.server_close()
    thread.result()


@both
def test_shutdown_before_serving_begins(server_class: Any) -> None:
    """shutdown() directly before serve_forever() had no effect: the server went on for ever."""
    with server_class(fresh_address(), make_service(Pinging())) as server:
        Background(server.shutdown).result()
        Background(server.serve_forever).result()


def test_serving_goes_on_when_no_thread_can_be_started(
    serve: Callable[..., Running], gate: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    """serve_forever() ended with the RuntimeError of a system that had no room for one more thread."""
    held, refused = threading.Event(), threading.Event()

    class Handler(Pinging):
        def Hold(self) -> None:
            held.set()
            assert gate.wait(PATIENCE)

    running = serve(Handler())
    # Created, but not yet overtaken: none of the server's threads is waiting for its turn.
    start = threading.Thread.start

    def without_room(thread: threading.Thread) -> None:
        if thread.name == "fastvarlink":
            refused.set()
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", without_room)
    connections = [running.connect() for _ in range(4)]
    for raw in connections:
        raw.send(call("Hold"))
    assert held.wait(PATIENCE)
    assert refused.wait(PATIENCE)
    assert running.thread.runs_on()
    gate.set()
    for raw in connections:
        assert raw.reply() == {}
        assert raw.ask("Ping") == {}


@both
def test_service_actions_are_called(serve: Callable[..., Running], server_class: Any) -> None:
    """service_actions(), which socketserver calls again and again, was never called."""
    called: list[None] = []
    enough = threading.Event()

    class Acting(server_class):  # type: ignore[misc]
        def serve_forever(self, poll_interval: float = 0.01) -> None:
            super().serve_forever(poll_interval)

        def service_actions(self) -> None:
            called.append(None)
            if len(called) == 3:
                enough.set()

    running = serve(Pinging(), Acting)
    assert enough.wait(PATIENCE)
    assert running.connect().ask("Ping") == {}


SCRIPT = """
import contextlib, signal, sys
import fastvarlink as varlink

service = varlink.Service(vendor="Example", product="Signals", version="1", url="https://example.org")

class Handler(varlink.RequestHandler):
    pass

Handler.service = service
# Whoever runs the tests may have it ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
with (
    contextlib.suppress(KeyboardInterrupt),
    getattr(varlink, sys.argv[1])(sys.argv[2], Handler) as server,
):
    print("ready", flush=True)
    server.serve_forever()
print("ended", flush=True)
"""


@both
def test_an_interrupt_ends_serving(server_class: Any) -> None:
    """SIGINT in the instant before a thread went to wait was noticed only when the next connection came."""
    for _ in range(10):
        command = [sys.executable, "-W", "error", "-c", SCRIPT, server_class.__name__, fresh_address()]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout is not None
                assert process.stdout.readline() == "ready\n"
                process.send_signal(signal.SIGINT)
                assert process.communicate(timeout=PATIENCE) == ("ended\n", "")
                assert process.returncode == 0
            finally:
                process.kill()


class _Interrupted(fastvarlink.ThreadingServer):
    """Ctrl-C comes at the ``left``-th place where Python looks for signals while a thread is begun."""

    left = 0

    def _run_thread(self, target: Callable[..., None], *args: Any) -> None:
        sys.setprofile(self._interrupt)
        try:
            super()._run_thread(target, *args)
        finally:
            sys.setprofile(None)

    def _interrupt(self, frame: Any, event: str, argument: Any) -> None:
        # It looks where a function begins, and where one of C has been called.
        if frame.f_code.co_filename == threading.__file__ and event in ("call", "c_return"):
            self.left -= 1
            if self.left == 0:
                raise KeyboardInterrupt

    def service_actions(self) -> None:
        self.shutdown()


def test_an_interrupt_while_a_thread_begins_is_the_one_that_arrives() -> None:
    """Thread.start() waits in Python: interrupted there, a lock's RuntimeError came out in its stead."""
    for place in range(1, 1000):
        with _Interrupted(fresh_address(), make_service(Pinging())) as server:
            server.left = place
            try:
                server.serve_forever(0.001)
            except KeyboardInterrupt:
                assert server.left == 0
            else:
                assert server.left > 0
                break
    assert place > 20
