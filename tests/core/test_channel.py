"""A channel that threads share: turns, streams, closing, reconnecting, and what is left of it."""

from __future__ import annotations

import gc
import os
import socket
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import fastvarlink
from fastvarlink.client import simple
from wire.eventually import eventually

from .serving import DESCRIPTION, INTERFACE, PATIENCE, Background, Running, call


class Handler:
    """Holds on to a call, or to a stream after its first reply, until the gate opens."""

    def __init__(self, gate: threading.Event) -> None:
        self.gate = gate
        self.entered = threading.Event()
        self.holds = 0

    def Hold(self) -> None:
        self.holds += 1
        self.entered.set()
        assert self.gate.wait(PATIENCE)

    def Tick(self, count: int) -> Iterator[dict[str, Any]]:
        for number in range(count):
            yield {"number": number, "_continues": number + 1 < count}

    def Echo(self, text: str) -> dict[str, str]:
        return {"text": text}

    def Ping(self) -> None:
        pass


class HeldStream(Handler):
    def Tick(self, count: int) -> Iterator[dict[str, Any]]:
        yield {"number": 0, "_continues": True}
        self.entered.set()
        assert self.gate.wait(PATIENCE)
        yield {"number": 1}


def test_a_message_is_sent_only_when_no_call_is_under_way(
    serve: Callable[..., Running], gate: threading.Event, open_client: Callable[[Running], Any]
) -> None:
    """_send_message() in one thread while another waited for a reply sent that one's call twice."""
    handler = Handler(gate)
    client = open_client(serve(handler))
    waiting = Background(client.Hold)
    assert handler.entered.wait(PATIENCE)
    sending = Background(client._send_message, call("Hold", oneway=True)[:-1])
    assert sending.runs_on()
    gate.set()
    assert waiting.result() == {}
    sending.result()
    assert client.Echo("after") == {"text": "after"}
    assert handler.holds == 2


def test_one_stream_read_by_several_threads(
    serve: Callable[..., Running], gate: threading.Event, open_client: Callable[[Running], Any]
) -> None:
    """Threads that read one stream at the same time damaged its state and got replies twice or never."""
    client = open_client(serve(Handler(gate)))
    count = 20_000
    stream = client.Tick(count, _more=True)
    first = next(stream)["number"]

    def read() -> list[int]:
        seen = []
        try:
            for reply in stream:
                seen.append(reply["number"])
        except fastvarlink.error.ConnectionBusy:
            # Another thread is inside: this one leaves the stream to it.
            pass
        return seen

    readers = [Background(read) for _ in range(4)]
    seen = [first, *(number for reader in readers for number in reader.result())]
    assert sorted(seen) == list(range(count))
    assert client.Echo("after") == {"text": "after"}


def test_two_threads_start_one_stream_when_their_turn_comes(
    serve: Callable[..., Running], gate: threading.Event, open_client: Callable[[Running], Any]
) -> None:
    """A thread that waited to start a stream, which another had then read to its end, waited for ever."""
    handler = Handler(gate)
    client = open_client(serve(handler))
    calling = Background(client.Hold)
    assert handler.entered.wait(PATIENCE)
    stream = client.Ping(_more=True)
    readers = [Background(next, stream, None) for _ in range(2)]
    assert all(reader.runs_on() for reader in readers)
    gate.set()
    assert calling.result() == {}
    for reader in readers:
        reader.wait()
    assert [reader.value for reader in readers if reader.value is not None] == [{}]
    for reader in readers:
        assert reader.error is None or isinstance(reader.error, fastvarlink.error.ConnectionBusy)
    assert client.Echo("after") == {"text": "after"}


@pytest.mark.usefixtures("_eager_threads")
def test_threads_that_wait_for_their_turn_all_get_it(
    serve: Callable[..., Running], gate: threading.Event, open_client: Callable[[Running], Any]
) -> None:
    """A thread that began to wait for its turn just as the turn became free was never woken."""
    running = serve(Handler(gate))
    for _ in range(15):
        client = open_client(running)
        callers = [Background(client.Echo, "a") for _ in range(12)]
        assert [caller.result() for caller in callers] == [{"text": "a"}] * 12


def test_a_closed_connection_is_not_taken_for_the_next_one() -> None:
    """A waiting thread whose socket was closed read from the socket that got the descriptor's number next."""
    interface = fastvarlink.Interface(DESCRIPTION)
    for _ in range(20):
        mine, peer = socket.socketpair()
        mine.settimeout(PATIENCE)
        handler: Any = fastvarlink.SimpleClientInterfaceHandler(interface, mine)
        waiting = Background(handler.Hold)
        peer.settimeout(PATIENCE)
        assert peer.recv(1000)
        handler.close()
        other, its_peer = socket.socketpair()
        with peer, other, its_peer:
            its_peer.sendall(b'{"parameters":{}}\0')
            with pytest.raises(fastvarlink.error.ConnectionLost):
                waiting.result()
            other.settimeout(PATIENCE)
            assert other.recv(1000) == b'{"parameters":{}}\0'
        assert mine.fileno() == -1


def test_calls_go_on_after_a_stream_was_left(
    serve: Callable[..., Running], gate: threading.Event, open_client: Callable[[Running], Any]
) -> None:
    """After a stream was left early, the calls that followed found the connection closed."""
    client = open_client(serve(HeldStream(gate)))
    stream = client.Tick(2, _more=True)
    assert next(stream) == {"number": 0}
    stream.close()
    assert client.Echo("x") == {"text": "x"}


def test_calls_go_on_after_a_stream_was_left_that_another_thread_reads(
    serve: Callable[..., Running], gate: threading.Event, open_client: Callable[[Running], Any]
) -> None:
    """Leaving a stream that another thread was reading broke the connection that was opened in its place."""
    running = serve(HeldStream(gate))
    for _ in range(10):
        client = open_client(running)
        stream = client.Tick(2, _more=True)
        assert next(stream) == {"number": 0}
        reading = Background(next, stream)
        assert reading.runs_on(0.01)
        stream.close()
        assert client.Echo("x") == {"text": "x"}
        with pytest.raises((fastvarlink.error.ConnectionLost, StopIteration)):
            reading.result()


@pytest.mark.parametrize("close", [True, False], ids=["closed", "dropped"])
def test_nothing_is_kept_of_connections_that_are_gone(
    serve: Callable[..., Running], gate: threading.Event, close: bool
) -> None:
    """Every connection that was ever opened kept its entry among the shared channels, and its descriptor."""
    running = serve(Handler(gate))
    gc.collect()
    descriptors = len(os.listdir("/proc/self/fd"))
    channels = len(simple._channels)
    for _ in range(50):
        with fastvarlink.Client(running.address) as client:
            handler = client.open(INTERFACE)
            assert handler.Ping() == {}
            if close:
                handler.close()
            with warnings.catch_warnings():
                # That dropping a socket is bad style is not the matter here.
                warnings.simplefilter("ignore", ResourceWarning)
                del handler
                gc.collect()
    assert len(simple._channels) == channels
    eventually(lambda: len(os.listdir("/proc/self/fd")) <= descriptors, "the descriptors are given back")
