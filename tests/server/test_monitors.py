"""Streams of a Broadcaster, and flow control of streams, over a socket."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NotRequired, TypedDict

import pytest

import fastvarlink
from fastvarlink import Broadcaster
from fastvarlink.service import broadcast
from wire.rawstream import PATIENCE, RawStream, call

TYPED, PLAIN = "org.example.typed", "org.example.plain"
DESCRIPTION = f"""interface {PLAIN}
method Monitor() -> (i: int, filler: ?string)
method Produce() -> (i: int, filler: string)
method Hold() -> ()
method Ping() -> ()
"""
# So large that a socket and its buffers take only a few.
FILLER = "x" * 50_000


class State(TypedDict):
    i: int
    filler: NotRequired[str]


def state(i: int, filler: str = FILLER) -> State:
    return {"i": i, "filler": filler}


class Plain:
    def __init__(self, feed: Broadcaster[State]) -> None:
        self.feed = feed
        self.came: SimpleQueue[str] = SimpleQueue()
        self.left: SimpleQueue[str] = SimpleQueue()
        self.gate = threading.Event()
        self.produced = 0

    def Monitor(self, _context: fastvarlink.Context) -> Iterator[dict[str, Any]]:
        self.came.put("came")
        try:
            yield from self.feed.subscribe(_context).replies()
        finally:
            self.left.put("left")

    def Produce(self) -> Iterator[dict[str, Any]]:
        while True:
            self.produced += 1
            yield {"i": self.produced, "filler": FILLER[:1000], "_continues": True}

    def Hold(self, _context: fastvarlink.Context) -> None:
        """Takes one value, and then does something else."""
        values = iter(self.feed.subscribe(_context))
        next(values)
        self.came.put("came")
        self.gate.wait(PATIENCE)
        assert list(values) == []
        self.left.put("left")

    def Ping(self) -> None:
        pass


@fastvarlink.interface(TYPED)
class Typed:
    def __init__(self, plain: Plain) -> None:
        self._plain = plain

    @fastvarlink.method(live=True)
    def Monitor(self, _context: fastvarlink.Context) -> Generator[State, None, State | None]:
        self._plain.came.put("came")
        try:
            return (yield from self._plain.feed.subscribe(_context))
        finally:
            self._plain.left.put("left")

    @fastvarlink.method(live=True)
    def Returned(self, _context: fastvarlink.Context) -> Iterable[State]:
        return self._plain.feed.subscribe(_context)


class OwnThread(fastvarlink.RequestHandler):
    """Overrides something, and so gets a thread for each connection."""

    def setup(self) -> None:
        super().setup()


class Serving:
    def __init__(
        self, address: str, feed: Broadcaster[State], server_class: Any, handler_class: Any = None
    ) -> None:
        self.plain = Plain(feed)
        service = fastvarlink.Service()
        service.interface(Typed(self.plain))
        service.interfaces[PLAIN] = fastvarlink.Interface.from_specification(DESCRIPTION)
        service.interfaces_handlers[PLAIN] = self.plain
        given = service if handler_class is None else type("Own", (handler_class,), {"service": service})
        self.address = address
        self.server = server_class(address, given)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()
        self.streams: list[RawStream] = []
        self.ping(RawStream.connect(address))

    def ping(self, stream: RawStream) -> None:
        """See that the server serves, on a connection of its own."""
        with stream:
            stream.send(call(f"{PLAIN}.Ping"))
            assert stream.read_reply() == {}

    def call(self, method: str) -> RawStream:
        stream = RawStream.connect(self.address)
        self.streams.append(stream)
        stream.send(call(method, more=True))
        return stream

    def left(self) -> None:
        """Wait until a monitor has come to its end."""
        assert self.plain.left.get(timeout=PATIENCE) == "left"

    def end(self) -> None:
        for stream in self.streams:
            stream.close()
        self.plain.feed.close()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive()


Serve = Callable[..., Serving]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    started: list[Serving] = []

    def start(
        feed: Broadcaster[State],
        server_class: Any = fastvarlink.ThreadingServer,
        handler_class: Any = None,
    ) -> Serving:
        started.append(Serving(f"unix:{tmp_path}/socket", feed, server_class, handler_class))
        return started[-1]

    yield start
    for each in started:
        each.end()


@pytest.mark.parametrize("method", [f"{TYPED}.Monitor", f"{TYPED}.Returned", f"{PLAIN}.Monitor"])
def test_a_monitor_begins_with_the_state_and_ends_with_it(serve: Serve, method: str) -> None:
    feed = Broadcaster(state(0, "first"), keep=4)
    serving = serve(feed)
    early = serving.call(method)
    assert early.read_reply() == {"parameters": {"i": 0, "filler": "first"}, "continues": True}
    for i in range(1, 4):
        feed.publish(state(i, ""))
    late = serving.call(method)
    assert [reply["parameters"]["i"] for reply in early.read_replies(3)] == [1, 2, 3]
    assert late.read_reply() == {"parameters": {"i": 3, "filler": ""}, "continues": True}
    feed.close()
    for stream in (early, late):
        assert stream.read_reply() == {"parameters": {"i": 3, "filler": ""}}
        # The connection is as good as before.
        stream.send(call(f"{PLAIN}.Ping"))
        assert stream.read_reply() == {}


@pytest.mark.parametrize("method", [f"{TYPED}.Monitor", f"{PLAIN}.Monitor"])
def test_a_monitor_without_any_state_ends_all_the_same(serve: Serve, method: str) -> None:
    feed: Broadcaster[State] = Broadcaster()
    serving = serve(feed)
    stream = serving.call(method)
    assert serving.plain.came.get(timeout=PATIENCE)
    serving.server.drain()
    assert stream.read_reply()["error"] == "fastvarlink.service.InternalError"
    stream.expect_end()


@pytest.mark.parametrize("method", [f"{TYPED}.Monitor", f"{PLAIN}.Monitor"])
def test_a_server_that_drains_ends_its_monitors(serve: Serve, method: str) -> None:
    serving = serve(Broadcaster(state(1, "")))
    streams = [serving.call(method) for _ in range(5)]
    for stream in streams:
        assert stream.read_reply() == {"parameters": {"i": 1, "filler": ""}, "continues": True}
    serving.server.drain()
    for stream in streams:
        assert stream.read_reply() == {"parameters": {"i": 1, "filler": ""}}
        stream.expect_end()
        serving.left()
    serving.thread.join(PATIENCE)
    assert not serving.thread.is_alive()


def test_what_was_published_before_a_server_drains_comes_first(serve: Serve) -> None:
    feed = Broadcaster(state(0), keep=5, wait=True)
    serving = serve(feed)
    stream = serving.call(f"{TYPED}.Monitor")
    assert stream.read_reply()["parameters"]["i"] == 0
    last = publish_until_full(feed)
    serving.server.drain()
    with ThreadPoolExecutor(1) as pool:
        publishing = pool.submit(feed.publish, state(last + 1), PATIENCE)
        for i in range(1, last + 1):
            reply = stream.read_reply()
            assert (reply["parameters"]["i"], reply["continues"]) == (i, True)
        reply = stream.read_reply()
        # What came too late is no more than the last reply, if that.
        assert reply["parameters"]["i"] in (last, last + 1)
        assert "continues" not in reply
        stream.expect_end()
        publishing.result(PATIENCE)


def test_a_source_does_not_wait_for_a_handler_whose_client_has_gone(serve: Serve) -> None:
    feed = Broadcaster(state(0), wait=True)
    serving = serve(feed)
    stream = serving.call(f"{PLAIN}.Hold")
    assert serving.plain.came.get(timeout=PATIENCE)
    with ThreadPoolExecutor(1) as pool:
        publishing = pool.submit(lambda: [feed.publish(state(i), PATIENCE) for i in range(5)])
        stream.close()
        publishing.result(PATIENCE)
    serving.plain.gate.set()
    serving.left()


@pytest.mark.rule("R6")
@pytest.mark.parametrize("method", [f"{TYPED}.Monitor", f"{PLAIN}.Monitor"])
def test_a_client_that_goes_ends_its_monitor_at_once(
    serve: Serve, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It is told, and does not only find out when it looks.
    monkeypatch.setattr(broadcast, "_LOOK", 10 * PATIENCE)
    feed = Broadcaster(state(0, ""), keep=2, wait=True)
    serving = serve(feed)
    staying = serving.call(method)
    staying.read_reply()
    # More than once: the method becomes known as one that blocks.
    for i in range(1, 4):
        stream = serving.call(method)
        assert stream.read_reply()["continues"]
        stream.close()
        serving.left()
        feed.publish(state(i, ""), timeout=PATIENCE)
        assert staying.read_reply()["parameters"]["i"] == i


def publish_until_full(feed: Broadcaster[State]) -> int:
    """Publish until there is no room for more; the number of the last one."""
    i = 0
    while True:
        try:
            feed.publish(state(i + 1), timeout=0.2)
        except TimeoutError:
            return i
        i += 1
        assert i < 1000, "The source has not been held up."


@pytest.mark.parametrize("handler_class", [None, OwnThread])
def test_a_source_that_waits_loses_nothing(serve: Serve, handler_class: Any) -> None:
    feed = Broadcaster(state(0), keep=2, wait=True)
    serving = serve(feed, handler_class=handler_class)
    slow, quick = (serving.call(f"{TYPED}.Monitor") for _ in range(2))
    assert [stream.read_reply()["parameters"]["i"] for stream in (slow, quick)] == [0, 0]
    with ThreadPoolExecutor(2) as pool:
        reading = pool.submit(quick.read_replies, 30)
        last = publish_until_full(feed)
        # What is on its way to a client that does not read, and no more.
        assert last < 30
        publishing = pool.submit(lambda: [feed.publish(state(i), PATIENCE) for i in range(last + 1, 31)])
        for replies in (slow.read_replies(30), reading.result(PATIENCE)):
            assert [reply["parameters"]["i"] for reply in replies] == list(range(1, 31))
        publishing.result(PATIENCE)


def test_a_source_that_waits_is_released_when_who_does_not_read_goes(serve: Serve) -> None:
    feed = Broadcaster(state(0), keep=2, wait=True)
    serving = serve(feed)
    stream = serving.call(f"{TYPED}.Monitor")
    assert stream.read_reply()["continues"]
    last = publish_until_full(feed)
    with ThreadPoolExecutor(1) as pool:
        publishing = pool.submit(feed.publish, state(last + 1), PATIENCE)
        stream.close()
        serving.left()
        publishing.result(PATIENCE)


@pytest.mark.parametrize("keep", [1, 10])
def test_who_reads_slowly_gets_what_is_newest(serve: Serve, keep: int) -> None:
    feed = Broadcaster(state(0), keep=keep)
    serving = serve(feed)
    stream = serving.call(f"{TYPED}.Monitor")
    assert stream.read_reply()["parameters"]["i"] == 0
    for i in range(1, 301):
        feed.publish(state(i))
    seen = []
    while not seen or seen[-1] != 300:
        seen.append(stream.read_reply()["parameters"]["i"])
    # What was on its way, then what was kept.
    assert seen == sorted(set(seen))
    assert seen[-keep:] == list(range(301 - keep, 301))
    assert len(seen) < 100


@pytest.mark.parametrize("handler_class", [None, OwnThread])
def test_a_generator_does_not_run_ahead_of_its_reader(serve: Serve, handler_class: Any) -> None:
    serving = serve(Broadcaster(state(0)), handler_class=handler_class)
    stream = serving.call(f"{PLAIN}.Produce")
    most = 0
    for i in range(1, 10_001):
        assert stream.read_reply()["parameters"]["i"] == i
        most = max(most, serving.plain.produced - i)
    # What a socket holds, and the buffers of both sides.
    assert most < 2000


def test_on_one_thread_a_monitor_ends_when_it_looks(serve: Serve) -> None:
    """Nobody else sees there that the client has gone."""
    serving = serve(Broadcaster(state(0, "")), server_class=fastvarlink.Server)
    stream = serving.call(f"{TYPED}.Monitor")
    assert stream.read_reply()["continues"]
    stream.close()
    serving.left()
    serving.ping(RawStream.connect(serving.address))
