"""How long a call may take: what says so, what is told, and what goes on afterwards."""

from __future__ import annotations

import errno
import math
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

import fastvarlink
from core.serving import Background
from fastvarlink import DeadlineExceeded
from wire.sample import INTERFACE, RunningServer

from .typed import WireClient

OpenHandler = Callable[..., Any]
SHORT = 0.05


@pytest.mark.parametrize(
    ("timeout", "error"),
    [(-1, ValueError), (-0.001, ValueError), (math.nan, ValueError), ("1", TypeError), (b"", TypeError)],
)
def test_a_timeout_that_is_none_is_refused_before_anything_is_sent(
    server: RunningServer, client: fastvarlink.Client, timeout: Any, error: type[Exception]
) -> None:
    with client.open(INTERFACE) as handler, client.open(WireClient) as typed:
        with pytest.raises(error, match="timeout"):
            handler.Record("sent", _timeout=timeout)
        with pytest.raises(error, match="timeout"):
            handler.Count(3, _more=True, _timeout=timeout)
        with pytest.raises(error, match="timeout"):
            typed.Ping("x", _timeout=timeout)
        assert handler.Ping("x") == {"text": "x"}
    for make in (fastvarlink.Client, fastvarlink.Pool):
        with pytest.raises(error, match="timeout"):
            make(server.address, timeout=timeout)
    with pytest.raises(error, match="timeout"):
        client.pipeline(timeout=timeout)
    assert server.state.recorded == []


@pytest.mark.parametrize("timeout", [5, 5.0, math.inf, 10**400, None])
def test_a_call_that_is_in_time_is_answered(open_handler: OpenHandler, timeout: Any) -> None:
    assert open_handler(timeout=timeout).Ping("x") == {"text": "x"}
    handler = open_handler()
    assert handler.Ping("x", _timeout=timeout) == {"text": "x"}
    assert [reply["i"] for reply in handler.Count(3, _more=True, _timeout=timeout)] == [0, 1, 2]
    assert handler.Ping("x", _oneway=True, _timeout=timeout) is None


def test_a_call_that_takes_too_long_says_so_and_the_next_one_goes_on(open_handler: OpenHandler) -> None:
    handler = open_handler(timeout=SHORT)
    with pytest.raises(DeadlineExceeded, match=r"Hold was not answered within 0\.05 seconds") as told:
        handler.Hold("x")
    assert isinstance(told.value, fastvarlink.error.Error)
    assert isinstance(told.value, TimeoutError)
    assert (told.value.method, told.value.seconds) == (f"{INTERFACE}.Hold", SHORT)
    assert handler.Ping("y", _timeout=60) == {"text": "y"}


def test_a_call_may_have_a_limit_of_its_own(server: RunningServer, open_handler: OpenHandler) -> None:
    handler = open_handler(timeout=3600)
    with pytest.raises(DeadlineExceeded, match=r"within 0\.05 seconds"):
        handler.Hold("x", _timeout=SHORT)
    hasty = open_handler(timeout=SHORT)
    patient = Background(lambda: hasty.Hold("x", _timeout=None))
    server.state.wait_for_arrival(2)
    assert patient.runs_on(2 * SHORT)
    server.state.gate.set()
    assert patient.result() == {"text": "x"}


def test_typed_clients_have_the_same_limits(server: RunningServer) -> None:
    with fastvarlink.Client(server.address, timeout=SHORT) as client, client.open(WireClient) as typed:
        with pytest.raises(DeadlineExceeded, match=r"Hold was not answered within 0\.05"):
            typed.Hold("x")
        with pytest.raises(DeadlineExceeded, match=r"Hold was not answered within 0\.01"):
            typed.Hold("x", _timeout=0.01)
        assert typed.Ping("x", _timeout=60) == {"text": "x"}


def test_no_time_at_all_is_over_before_anything_is_sent(
    server: RunningServer, open_handler: OpenHandler
) -> None:
    handler = open_handler()
    connection = handler._connection
    with pytest.raises(DeadlineExceeded, match="was not sent within 0 seconds"):
        handler.Record("x", _timeout=0)
    assert handler.Ping("x") == {"text": "x"}
    assert handler._connection is connection
    assert server.state.recorded == []


def test_each_reply_of_a_stream_has_the_time(server: RunningServer, open_handler: OpenHandler) -> None:
    handler = open_handler(timeout=10 * SHORT)
    replies = handler.Gated(_more=True)
    assert next(replies) == {"i": 0}
    server.state.wait_for_arrival()
    with pytest.raises(DeadlineExceeded, match="Gated was not answered"):
        next(replies)
    assert list(replies) == []
    assert handler.Ping("x") == {"text": "x"}


def test_waiting_for_another_thread_counts(server: RunningServer, open_handler: OpenHandler) -> None:
    """The call that is under way does not notice."""
    handler = open_handler()
    holding = Background(handler.Hold, "x")
    server.state.wait_for_arrival()
    with pytest.raises(DeadlineExceeded, match="Record was not sent within"):
        handler.Record("y", _timeout=SHORT)
    server.state.gate.set()
    assert holding.result() == {"text": "x"}
    assert handler.Ping("z") == {"text": "z"}
    assert server.state.recorded == []


def test_threads_that_wait_go_on_over_a_new_connection(
    server: RunningServer, open_handler: OpenHandler
) -> None:
    handler = open_handler()
    exceeding = Background(lambda: handler.Hold("x", _timeout=4 * SHORT))
    server.state.wait_for_arrival()
    waiting = [Background(handler.Ping, str(i)) for i in range(5)]
    with pytest.raises(DeadlineExceeded):
        exceeding.result()
    assert [each.result() for each in waiting] == [{"text": str(i)} for i in range(5)]


@pytest.fixture
def deaf(tmp_path: Path) -> Iterator[socket.socket]:
    """A socket that listens, and on which nobody accepts."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{tmp_path}/deaf")
        listener.listen(1)
        yield listener


def test_what_open_asks_is_limited_too(deaf: socket.socket) -> None:
    address = f"unix:{deaf.getsockname()}"
    with fastvarlink.Client(address, timeout=SHORT) as client:
        with pytest.raises(DeadlineExceeded, match="GetInterfaceDescription was not answered"):
            client.open(INTERFACE)
        with pytest.raises(DeadlineExceeded, match="GetInfo was not answered"):
            client.get_interfaces()


def test_connecting_is_limited_too(deaf: socket.socket) -> None:
    address = f"unix:{deaf.getsockname()}"
    with ExitStack() as stack:
        filling = None
        while filling is None or filling.connect_ex(deaf.getsockname()) != errno.EAGAIN:
            filling = stack.enter_context(socket.socket(socket.AF_UNIX))
            filling.setblocking(False)
        told = f"No connection to {address} was made within 0.05 seconds"
        with fastvarlink.Client(address, timeout=SHORT) as client:
            with pytest.raises(DeadlineExceeded, match=told):
                client.open(WireClient)
            with pytest.raises(DeadlineExceeded, match=told), client.pipeline():
                pass
        with fastvarlink.Pool(address) as pool:
            typed = pool.open(WireClient)
            with pytest.raises(DeadlineExceeded, match="No connection to"):
                typed.Ping("x", _timeout=SHORT)
        waiting = Background(fastvarlink.Client(address, timeout=10).open, WireClient)
        assert waiting.runs_on()
        # There is room again.
        for _ in range(2):
            deaf.accept()[0].close()
        waiting.result().close()


def test_connecting_over_tcp_in_time(tmp_path: Path) -> None:
    running = RunningServer(tmp_path, "tcp:127.0.0.1:0")
    try:
        with (
            fastvarlink.Client(running.address, timeout=10) as client,
            client.open(INTERFACE) as handler,
        ):
            assert handler._connection.gettimeout() is None
            assert handler.Ping("x") == {"text": "x"}
    finally:
        running.stop()
    with pytest.raises(ConnectionRefusedError):
        fastvarlink.Client(running.address, timeout=10).open(WireClient)


@pytest.mark.parametrize("way", ["file", "hooks"])
def test_a_handler_that_cannot_limit_a_call_refuses_to(client: fastvarlink.Client, way: str) -> None:
    class Hooked(fastvarlink.SimpleClientInterfaceHandler):
        def _send_message(self, out: bytes) -> None:
            super()._send_message(out)

    interface = client.get_interface(INTERFACE)
    connection = client.open_connection()
    with connection, connection.makefile("rwb") as file:
        if way == "file":
            with pytest.raises(TypeError, match="time limit needs a connected socket"):
                fastvarlink.SimpleClientInterfaceHandler(interface, file, timeout=1)
            handler: Any = fastvarlink.SimpleClientInterfaceHandler(interface, file)
        else:
            handler = Hooked(interface, connection)
        with pytest.raises(TypeError, match="_timeout"):
            handler.Ping("x", _timeout=1)
        assert handler.Ping("x") == {"text": "x"}


def test_messages_of_programs_have_the_limit_of_their_handler(
    server: RunningServer, client: fastvarlink.Client
) -> None:
    class Hooked(fastvarlink.SimpleClientInterfaceHandler):
        def _send_message(self, out: bytes) -> None:
            super()._send_message(out)

    interface = client.get_interface(INTERFACE)
    with Hooked(interface, client.open_connection(), timeout=10 * SHORT) as made:
        handler: Any = made
        assert handler.Ping("x") == {"text": "x"}
        with pytest.raises(DeadlineExceeded, match="A call was not answered within"):
            handler.Hold("x")
