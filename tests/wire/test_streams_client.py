"""R6 and R7 at the client: streams left early, and calls given up."""

from __future__ import annotations

import gc
import signal
import socket
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

import fastvarlink

from .conftest import Caller
from .rawstream import PATIENCE, PeerEndedError, Pieces, RawStream, frame
from .sample import DESCRIPTION, INTERFACE, LEFT, RunningServer

CallAt = Callable[..., Caller]


class GivenUpError(Exception):
    """What a signal handler raises to end the call that is waiting."""


def endless(stream: RawStream) -> None:
    """A script: three replies of a stream that would go on, then only the end."""
    stream.read_frame()
    for i in range(3):
        stream.send(frame({"parameters": {"i": i}, "continues": True}))
    stream.expect_end()


@pytest.mark.rule("R6")
@pytest.mark.parametrize("taken", [1, 3])
def test_a_stream_that_is_closed_closes_the_connection(call_at: CallAt, taken: int) -> None:
    caller = call_at(endless)
    replies = caller.handler.Count(9, _more=True)
    assert [next(replies)["i"] for _ in range(taken)] == list(range(taken))
    replies.close()
    caller.peer.finish()


@pytest.mark.rule("R6")
def test_a_stream_that_is_forgotten_closes_the_connection(call_at: CallAt) -> None:
    caller = call_at(endless)
    for reply in caller.handler.Count(9, _more=True):
        assert reply == {"i": 0}
        break
    gc.collect()
    caller.peer.finish()


@pytest.mark.rule("R6")
def test_a_stream_that_was_read_to_its_end_leaves_the_connection_open(call_at: CallAt) -> None:
    def script(stream: RawStream) -> None:
        for i in range(3):
            stream.read_frame()
            stream.send(frame({"parameters": {"i": i}, "continues": False}))
        stream.expect_end()

    caller = call_at(script)
    for i in range(3):
        replies = caller.handler.Count(1, _more=True)
        assert [reply["i"] for reply in replies] == [i]
        replies.close()


@pytest.mark.rule("R6")
def test_the_generator_of_the_server_is_closed(server: RunningServer, pieces: Pieces) -> None:
    # The client is the side that leaves; pieces vary how the caller beside it writes.
    with fastvarlink.Client(server.address) as client:
        with client.open(INTERFACE) as opened:
            handler: Any = opened
            replies = handler.Endless(100, _more=True)
            assert [next(replies)["i"] for _ in range(3)] == [1, 2, 3]
            replies.close()
            assert server.state.endless_closed.wait(PATIENCE)
            assert isinstance(server.state.endless_end, LEFT)
        with client.open(INTERFACE) as opened:
            handler = opened
            assert handler.Ping("again") == {"text": "again"}


def late(go: threading.Event) -> Callable[[RawStream], None]:
    """A script: the first call is answered after ``go``, the others at once."""

    def script(stream: RawStream) -> None:
        count = 0
        while True:
            try:
                stream.read_frame()
            except (PeerEndedError, ConnectionResetError):
                return
            count += 1
            if count == 1:
                assert go.wait(PATIENCE)
            stream.send(frame({"parameters": {"text": f"answer {count}"}}))

    return script


def second_call_is_not_answered_by_the_first(handler: Any) -> None:
    """The connection is not reused, or its late reply has been drained before it is."""
    try:
        result = handler.Ping("second")
    except (ConnectionError, OSError, ValueError):
        return
    assert result == {"text": "answer 2"}


@pytest.mark.rule("R7")
def test_after_a_timeout_the_late_reply_is_no_answer(pieces: Pieces) -> None:
    go = threading.Event()
    ours, theirs = socket.socketpair()
    ours.settimeout(0.1)
    with RawStream(theirs, pieces) as stream:
        peer = threading.Thread(target=late(go), args=(stream,))
        peer.start()
        interface = fastvarlink.Interface(DESCRIPTION)
        with fastvarlink.SimpleClientInterfaceHandler(interface, ours) as made:
            handler: Any = made
            with pytest.raises(OSError):  # noqa: PT011  (TimeoutError is one)
                handler.Ping("first")
            go.set()
            second_call_is_not_answered_by_the_first(handler)
        peer.join(PATIENCE)
        assert not peer.is_alive()


@pytest.mark.rule("R7")
def test_a_timeout_in_a_stream_ends_it(pieces: Pieces) -> None:
    def script(stream: RawStream) -> None:
        stream.read_frame()
        stream.send(frame({"parameters": {"i": 0}, "continues": True}))

    ours, theirs = socket.socketpair()
    ours.settimeout(0.5)
    with RawStream(theirs, pieces) as stream:
        peer = threading.Thread(target=script, args=(stream,))
        peer.start()
        interface = fastvarlink.Interface(DESCRIPTION)
        with fastvarlink.SimpleClientInterfaceHandler(interface, ours) as made:
            handler: Any = made
            replies = handler.Count(3, _more=True)
            assert next(replies) == {"i": 0}
            peer.join(PATIENCE)
            with pytest.raises(OSError):  # noqa: PT011  (TimeoutError is one)
                next(replies)
            stream.send(frame({"parameters": {"i": 1}, "continues": False}))
            with pytest.raises((OSError, StopIteration)):
                next(replies)
            with pytest.raises((OSError, ValueError)):
                handler.Ping("second")


@pytest.mark.rule("R7")
def test_after_a_call_is_given_up_the_late_reply_is_no_answer(pieces: Pieces) -> None:
    go, given_up = threading.Event(), threading.Event()
    main = threading.main_thread().ident
    assert main is not None

    def give_up(_number: int, _frame: FrameType | None) -> None:
        if not given_up.is_set():
            given_up.set()
            raise GivenUpError

    def script(stream: RawStream) -> None:
        stream.read_frame()
        # A signal that comes just before the client waits does not end the wait: send it again.
        for _ in range(1000):
            signal.pthread_kill(main, signal.SIGUSR1)
            if given_up.wait(0.01):
                break
        assert go.wait(PATIENCE)
        stream.send(frame({"parameters": {"text": "answer 1"}}))
        try:
            stream.read_frame()
        except (PeerEndedError, ConnectionResetError):
            return
        stream.send(frame({"parameters": {"text": "answer 2"}}))

    ours, theirs = socket.socketpair()
    before = signal.signal(signal.SIGUSR1, give_up)
    try:
        with RawStream(theirs, pieces) as stream:
            peer = threading.Thread(target=script, args=(stream,))
            peer.start()
            interface = fastvarlink.Interface(DESCRIPTION)
            with fastvarlink.SimpleClientInterfaceHandler(interface, ours) as made:
                handler: Any = made
                with pytest.raises(GivenUpError):
                    handler.Ping("first")
                go.set()
                second_call_is_not_answered_by_the_first(handler)
            peer.join(PATIENCE)
            assert not peer.is_alive()
    finally:
        signal.signal(signal.SIGUSR1, before)
