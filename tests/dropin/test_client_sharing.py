"""One handler for several threads, streams that are left, and connections that are lost."""

from __future__ import annotations

import queue
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import fastvarlink

from .sample import DESCRIPTION, INTERFACE, PATIENCE, State
from .serving import Running

SAMPLE = fastvarlink.Interface(DESCRIPTION)


def test_eight_threads_share_a_handler(example: Any) -> None:
    start = threading.Barrier(8)

    def calls(who: int) -> None:
        start.wait(PATIENCE)
        for i in range(200):
            text = f"{who}-{i}"
            assert example.Echo(text, i) == {"text": text, "number": i}

    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(calls, who) for who in range(8)]:
            done.result(3 * PATIENCE)
    assert example._in_use is False


def test_two_handlers_share_a_connection(client: fastvarlink.Client) -> None:
    with client.open_connection() as connection:
        first = client.open(INTERFACE, connection=connection)
        second = client.open("org.varlink.service", False, connection)
        for _ in range(3):
            assert first.Echo("a") == {"text": "a"}
            assert second.GetInfo()["version"] == "7"


def test_an_abandoned_stream_and_another_call(example: Any, state: State) -> None:
    for _ in range(3):
        replies = example.Forever(_more=True)
        assert next(replies) == {"number": 0}
        replies.close()
        assert example._in_use is False
        assert example.Echo("a") == {"text": "a"}
        assert state.left.wait(PATIENCE)
        state.left.clear()


def test_a_stream_that_is_forgotten(example: Any, state: State) -> None:
    for number in example.Forever(_more=True):
        if number["number"] == 2:
            break
    # The loop's iterator is gone by now, and with it the stream.
    assert example.Echo("a") == {"text": "a"}
    assert state.left.wait(PATIENCE)


def test_a_stream_of_an_exception_in_the_loop(example: Any) -> None:
    def read() -> None:
        for _ in example.Forever(_more=True):
            raise RuntimeError("enough")

    with pytest.raises(RuntimeError):
        read()
    assert example.Echo("a") == {"text": "a"}


def test_an_abandoned_stream_on_a_connection_of_ones_own(client: fastvarlink.Client) -> None:
    with client.open_connection() as connection:
        handler = client.open(INTERFACE, connection=connection)
        replies = handler.Forever(_more=True)
        next(replies)
        replies.close()
        with pytest.raises(ConnectionError) as caught:
            handler.Echo("a")
        assert "stream" in str(caught.value)
        assert "left" in str(caught.value)


def test_an_abandoned_stream_of_a_handler_made_by_hand(running: Running) -> None:
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(running.address.replace("unix:@", "\0"))
    with fastvarlink.SimpleClientInterfaceHandler(SAMPLE, connection) as handler:
        replies = handler.Forever(_more=True)  # type: ignore[attr-defined]
        next(replies)
        replies.close()
        with pytest.raises(ConnectionError, match="stream"):
            handler.Echo("a")  # type: ignore[attr-defined]


def test_a_stream_that_was_never_begun(example: Any) -> None:
    replies = example.Forever(_more=True)
    del replies
    assert example.Echo("a") == {"text": "a"}


def test_close_breaks_a_stream_that_waits(example: Any) -> None:
    first_seen = threading.Event()
    outcome: queue.Queue[BaseException | None] = queue.Queue()

    def read() -> None:
        try:
            for _ in example.Held(_more=True):
                first_seen.set()
        except BaseException as ended:
            outcome.put(ended)
        else:
            outcome.put(None)

    thread = threading.Thread(target=read)
    thread.start()
    assert first_seen.wait(PATIENCE)
    example.close()
    ended = outcome.get(timeout=PATIENCE)
    thread.join(PATIENCE)
    assert isinstance(ended, BrokenPipeError)


def test_close_breaks_a_call_that_waits(service: Any, state: State, example: Any) -> None:
    arrived = threading.Event()

    class Handler:
        def Remembered(self) -> dict[str, Any]:
            arrived.set()
            assert state.gate.wait(3 * PATIENCE)
            return {"texts": []}

    service.interfaces_handlers[INTERFACE] = Handler()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(example.Remembered)
        assert arrived.wait(PATIENCE)
        example.close()
        with pytest.raises(BrokenPipeError):
            waiting.result(PATIENCE)


def test_a_call_after_close(example: Any) -> None:
    example.close()
    example.close()
    with pytest.raises(ConnectionError) as caught:
        example.Echo("a")
    assert "closed" in str(caught.value)


def test_a_lost_connection(service: Any, example: Any) -> None:
    class Handler:
        def Remembered(self, _request: Any) -> dict[str, Any]:
            _request.shutdown(socket.SHUT_RDWR)
            _request.close()
            return {"texts": []}

    service.interfaces_handlers[INTERFACE] = Handler()
    with pytest.raises(BrokenPipeError) as caught:
        example.Remembered()
    assert str(caught.value)
    # The handler is not stuck: it says again what has happened.
    for _ in range(2):
        assert example._in_use is False
        with pytest.raises(ConnectionError) as again:
            example.Remembered()
        assert "in progress" not in str(again.value)


def test_a_stream_on_a_connection_that_gets_lost(service: Any, example: Any) -> None:
    class Handler:
        def Count(self, to: int, _request: Any) -> Any:
            yield {"number": 1, "_continues": True}
            _request.shutdown(socket.SHUT_RDWR)
            yield {"number": 2, "_continues": True}

    service.interfaces_handlers[INTERFACE] = Handler()
    replies = example.Count(1, _more=True)
    with pytest.raises(BrokenPipeError):
        for _ in replies:
            pass
    assert example._in_use is False


def test_a_continued_reply_to_a_plain_call() -> None:
    ours, theirs = socket.socketpair()
    with theirs, fastvarlink.SimpleClientInterfaceHandler(SAMPLE, ours) as handler:
        theirs.sendall(b"")

        def reply() -> None:
            theirs.recv(1000)
            theirs.sendall(b'{"parameters":{"texts":[]},"continues":true}\0')

        thread = threading.Thread(target=reply)
        thread.start()
        with pytest.raises(ConnectionError):
            handler.Remembered()  # type: ignore[attr-defined]
        thread.join(PATIENCE)
        with pytest.raises(ConnectionError):
            handler.Remembered()  # type: ignore[attr-defined]


def test_a_time_limit_on_the_connection() -> None:
    ours, theirs = socket.socketpair()
    with theirs, fastvarlink.SimpleClientInterfaceHandler(SAMPLE, ours) as handler:
        handler._connection.settimeout(0.05)
        with pytest.raises(TimeoutError):
            handler.Remembered()  # type: ignore[attr-defined]
        assert handler._in_use is False
        # The late reply must not be taken for the answer to another call.
        with pytest.raises(OSError, match=r"time|closed"):
            handler.Remembered()  # type: ignore[attr-defined]


def test_a_time_limit_that_is_kept(example: Any) -> None:
    example._connection.settimeout(PATIENCE)
    assert example.Echo("a") == {"text": "a"}
    example._connection.settimeout(None)
    assert example.Echo("b") == {"text": "b"}
    assert len(list(example.Count(3, _more=True))) == 3
