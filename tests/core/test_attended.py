"""A connection that calls alone is waited for in recv after some time: a thread attends it, another leads."""

from __future__ import annotations

import queue
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import fastvarlink
from wire.eventually import eventually

from .serving import PATIENCE, Background, Raw, Running, call

# Of a connection that nothing disturbs, fewer are enough.
CALLS = 20_000


class Handler:
    """What may come after many calls of Ping."""

    def __init__(self, gate: threading.Event) -> None:
        self._gate = gate

    def Ping(self) -> None:
        pass

    def Echo(self, text: str) -> dict[str, str]:
        return {"text": text}

    def Hold(self) -> None:
        assert self._gate.wait(PATIENCE)

    def Tick(self, count: int) -> Iterator[dict[str, Any]]:
        for number in range(count):
            yield {"number": number, "_continues": number + 1 < count}


def attending(running: Running) -> bool:
    return bool(running.server._reactor.attending)


def attend(running: Running, raw: Raw) -> None:
    """Call until a thread attends this connection, and no other any more."""
    eventually(lambda: not attending(running), "An idle connection is attended.", PATIENCE)
    for _ in range(CALLS):
        assert raw.ask("Ping") == {}
        if attending(running):
            return
    pytest.fail("No thread attends the connection.")


@pytest.fixture
def running(serve: Callable[..., Running], gate: threading.Event) -> Running:
    return serve(Handler(gate))


def test_one_that_calls_on_is_answered(running: Running) -> None:
    """It stays attended, whatever the size of its calls."""
    raw = running.connect()
    attend(running, raw)
    for size in (0, 1, 1000, 100_000):
        text = "x" * size
        assert raw.ask("Echo", {"text": text})["parameters"] == {"text": text}
    for _ in range(1000):
        assert raw.ask("Ping") == {}


def test_two_in_turn_are_not_attended(running: Running) -> None:
    """Each is something else to do than the other."""
    first, second = running.connect(), running.connect()
    for _ in range(300):
        assert first.ask("Ping") == second.ask("Ping") == {}
        assert not attending(running)


def test_one_whose_handlers_have_a_limit_is_not_attended(
    serve: Callable[..., Running], gate: threading.Event
) -> None:
    """The leader would have to be woken for each call, to see to the time."""

    class Limited(Handler):
        @fastvarlink.method(timeout=PATIENCE)
        def Echo(self, text: str) -> dict[str, str]:
            return {"text": text}

    running = serve(Limited(gate))
    raw = running.connect()
    for _ in range(300):
        assert raw.ask("Echo", {"text": "x"})["parameters"] == {"text": "x"}
        assert not attending(running)
    attend(running, raw)
    assert raw.ask("Echo", {"text": "x"})["parameters"] == {"text": "x"}


def test_others_are_served_beside_it(running: Running, gate: threading.Event) -> None:
    """While its thread waits for it, and while its handler blocks."""
    raw, other = running.connect(), running.connect()
    attend(running, raw)
    assert other.ask("Ping") == {}
    assert raw.ask("Ping") == {}
    attend(running, raw)
    raw.send(call("Hold"))
    for _ in range(100):
        assert other.ask("Ping") == {}
    gate.set()
    assert raw.reply() == {}
    assert raw.ask("Ping") == {}


def test_many_calls_at_once_are_answered_in_order(running: Running) -> None:
    """In one write, and in single bytes (rules C6 and F2)."""
    raw = running.connect()
    frames = b"".join(call("Echo", {"text": str(number)}) for number in range(100))
    for pieces in ([frames], [frames[at : at + 1] for at in range(len(frames))]):
        attend(running, raw)
        for piece in pieces:
            raw.send(piece)
        assert [raw.reply()["parameters"]["text"] for _ in range(100)] == [str(n) for n in range(100)]


def test_a_reply_does_not_wait_for_the_next_handler(running: Running, gate: threading.Event) -> None:
    """No watchdog sees to a thread that does not lead."""
    raw = running.connect()
    attend(running, raw)
    raw.send(call("Ping"), call("Hold"))
    assert raw.reply() == {}
    assert not gate.is_set()
    gate.set()
    assert raw.reply() == {}


@pytest.mark.parametrize("size", [10, 100_000])
def test_what_comes_with_the_end_is_carried_out(
    serve: Callable[..., Running], gate: threading.Event, size: int
) -> None:
    """The leader is told of the end, and reads what came before it while the handler of another call runs."""
    texts: queue.Queue[str] = queue.Queue()

    class Noting(Handler):
        def Echo(self, text: str) -> dict[str, str]:
            texts.put(text)
            return {"text": text}

    running = serve(Noting(gate))
    for _ in range(20):
        gate.clear()
        raw = running.connect()
        attend(running, raw)
        assert raw.ask("Echo", {"text": "x" * size})["parameters"] == {"text": "x" * size}
        raw.send(call("Hold"))
        for number in range(10):
            raw.send(call("Echo", {"text": str(number)}, oneway=True))
        raw.socket.shutdown(socket.SHUT_WR)
        gate.set()
        assert [len(texts.get(timeout=PATIENCE)) for _ in range(11)] == [size, *[1] * 10]
        assert raw.reply() == {}
        assert raw.ended()


def test_a_stream_comes_whole(running: Running) -> None:
    """Its replies are the leader's to gather, and the calls after it are answered as those before."""
    raw = running.connect()
    attend(running, raw)
    raw.send(call("Tick", {"count": 1000}, more=True), call("Ping"))
    assert [raw.reply()["parameters"]["number"] for _ in range(1000)] == list(range(1000))
    assert raw.reply() == {}
    attend(running, raw)


def test_calls_that_get_no_reply(running: Running) -> None:
    """Rule C8: nothing is sent, and the next call is waited for."""
    raw = running.connect()
    attend(running, raw)
    for _ in range(100):
        raw.send(call("Ping", oneway=True))
        assert raw.ask("Ping") == {}


def test_a_violation_ends_it(running: Running) -> None:
    """What is no message closes the connection, and no other."""
    raw, other = running.connect(), running.connect()
    attend(running, raw)
    raw.send(b"{\0")
    assert raw.ended()
    assert other.ask("Ping") == {}


@pytest.mark.parametrize("begun", [b"", b'{"method"'], ids=["idle", "in a call"])
def test_its_peer_closes_it(running: Running, begun: bytes) -> None:
    """Nothing of it is left."""
    raw = running.connect()
    attend(running, raw)
    before = len(running.server._connections)
    raw.send(begun)
    raw.close()
    eventually(lambda: len(running.server._connections) == before - 1, "It is still there.", PATIENCE)


def test_a_handler_hears_that_its_peer_has_gone(serve: Callable[..., Running]) -> None:
    """The leader is told of the end while the thread that attends is in the handler."""
    begun, gone = threading.Event(), threading.Event()

    class Listening(Handler):
        def Hold(self, _context: Any = None) -> None:
            _context.on_end(gone.set)
            begun.set()
            assert gone.wait(PATIENCE)

    running = serve(Listening(begun))
    raw = running.connect()
    attend(running, raw)
    raw.send(call("Hold"))
    assert begun.wait(PATIENCE)
    raw.close()
    assert gone.wait(PATIENCE)


def test_the_next_one_can_be_attended(running: Running) -> None:
    """One that has nothing to say does not keep its thread."""
    connections = [running.connect() for _ in range(5)]
    for raw in connections:
        attend(running, raw)
    before = threading.active_count()
    for raw in connections * 2:
        attend(running, raw)
    assert threading.active_count() <= before + 1
    for raw in connections:
        assert raw.ask("Ping") == {}


def test_a_server_that_is_drained_ends(running: Running) -> None:
    """With a connection that is open and attended."""
    raw = running.connect()
    attend(running, raw)
    running.server.drain()
    assert raw.ended()
    running.thread.result()


def test_a_server_that_is_closed_ends(running: Running) -> None:
    """Likewise, at once; the thread is gone afterwards."""
    raw = running.connect()
    attend(running, raw)
    running.server.shutdown()
    running.server.server_close()
    assert raw.ended()
    assert running.server._threads == set()


def test_a_server_that_serves_again_goes_on(running: Running) -> None:
    """Calls that arrive between two times of serving are answered in the second."""
    raw = running.connect()
    for _ in range(5):
        attend(running, raw)
        running.server.shutdown()
        running.thread.result()
        raw.send(call("Echo", {"text": "between"}))
        running.thread = Background(running.server.serve_forever)
        assert raw.reply()["parameters"] == {"text": "between"}


def test_an_idle_one_is_closed_in_time(serve: Callable[..., Running], gate: threading.Event) -> None:
    """idle_timeout holds for it too."""

    class Impatient(fastvarlink.ThreadingServer):
        limits = fastvarlink.Limits(idle_timeout=0.5)

    running = serve(Handler(gate), Impatient)
    raw = running.connect()
    attend(running, raw)
    assert raw.ended()


def test_clients_that_come_and_go(running: Running) -> None:
    """Several, each alone for some of the time: every call is answered."""
    over = threading.Event()

    def keep_calling(calls: int) -> int:
        answered = 0
        while not over.is_set():
            raw = Raw(running.address)
            try:
                for _ in range(calls):
                    assert raw.ask("Ping") == {}
                    answered += 1
            finally:
                raw.close()
            over.wait(0.0001 * calls)
        return answered

    clients = [Background(keep_calling, calls) for calls in (100, 333, 1000)]
    over.wait(2.0)
    over.set()
    assert all(client.result() for client in clients)
    attend(running, running.connect())
