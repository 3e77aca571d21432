"""The server's end of a connection: frames under a running handler, slow readers, closed descriptors."""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest

import fastvarlink
from wire.eventually import eventually

from .serving import PATIENCE, Running, call

both = pytest.mark.parametrize(
    "server_class", [fastvarlink.Server, fastvarlink.ThreadingServer], ids=lambda cls: cls.__name__
)


class Pinging:
    def Ping(self) -> None:
        pass


def test_raw_is_the_message_of_its_own_call(serve: Callable[..., Running], gate: threading.Event) -> None:
    """_raw held bytes of the next call when that one arrived while the handler was being looked up."""
    looked_up = threading.Event()

    class Handler(Pinging):
        @property
        def Echo(self) -> Any:
            # Python code that lets other threads run.
            looked_up.set()
            assert gate.wait(PATIENCE)
            return self._echo

        def _echo(self, text: str, _raw: bytes = b"") -> dict[str, Any]:
            return {"text": json.loads(_raw)["parameters"]["text"]}

    running = serve(Handler())
    raw, other = running.connect(), running.connect()
    texts = ["a" * 2000, "b" * 60_000]
    raw.send(call("Echo", {"text": texts[0]}))
    assert looked_up.wait(PATIENCE)
    raw.send(call("Echo", {"text": texts[1]}))
    # Events come in order: whoever answers this has been told of the second call before.
    assert other.ask("Ping") == {}
    gate.set()
    assert [raw.reply()["parameters"]["text"] for _ in texts] == texts


class Finishing(fastvarlink.RequestHandler):
    """A method of its own has the server serve each connection on a thread that waits."""

    def finish(self) -> None:
        super().finish()


def test_a_reply_does_not_wait_for_the_next_handler(
    serve: Callable[..., Running], gate: threading.Event
) -> None:
    """Where a thread serves one connection, a reply stayed until the next handler had returned."""

    class Handler(Pinging):
        def Hold(self) -> None:
            assert gate.wait(PATIENCE)

    raw = serve(Handler(), handler_class=Finishing).connect()
    raw.send(call("Ping"), call("Hold"))
    assert raw.reply() == {}
    assert not gate.is_set()
    gate.set()
    assert raw.reply() == {}


def test_replies_that_nobody_reads_do_not_gather(serve: Callable[..., Running]) -> None:
    """Where a thread serves one connection, replies gathered in memory as long as calls kept coming."""
    answered = []

    class Handler(Pinging):
        def Echo(self, text: str) -> dict[str, str]:
            answered.append(text)
            return {"text": "y" * 100_000}

    raw = serve(Handler(), handler_class=Finishing).connect()
    calls = 200
    raw.send(call("Echo", {"text": ""}) * calls)
    for read in range(1, calls + 1):
        assert len(raw.reply()["parameters"]["text"]) == 100_000
        # What is not read yet is in the socket's buffer and in the one reply that is being written.
        assert len(answered) - read < 30
    assert len(answered) == calls


@both
def test_a_descriptor_closed_behind_the_sockets_back(
    serve: Callable[..., Running], server_class: Any
) -> None:
    """A handler that closed its connection's descriptor by its number ended the server, or was never over."""

    class Handler(Pinging):
        def Kill(self, _request: Any = None) -> None:
            socket.socket(fileno=_request.fileno()).close()

    running = serve(Handler(), server_class)
    raw = running.connect()
    assert raw.ask("Ping") == {}
    before = len(running.server._connections)
    raw.send(call("Kill"))
    # Until the server has let go, the number must not be given to another socket of this process.
    eventually(lambda: len(running.server._connections) < before, "the connection is over")
    assert running.connect().ask("Ping") == {}
    assert running.thread.runs_on(0)


@both
def test_the_number_of_a_closed_socket_is_not_given_away(
    serve: Callable[..., Running], server_class: Any
) -> None:
    """A handler that closed its socket freed a number that the connection then used for another file."""
    taken = []

    class Handler(Pinging):
        def Kill(self, _request: Any = None) -> None:
            number = _request.fileno()
            _request.close()
            pipe = os.pipe()
            taken.append(number in pipe)
            for end in pipe:
                os.close(end)

    running = serve(Handler(), server_class)
    raw = running.connect()
    raw.send(call("Kill"))
    assert running.connect().ask("Ping") == {}
    raw.socket.shutdown(socket.SHUT_WR)
    while raw.socket.recv(100):
        pass
    assert taken == [False]
    assert running.connect().ask("Ping") == {}
