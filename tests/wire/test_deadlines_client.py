"""Deadlines at the client, at a peer that does not keep them (rules R7, F12, S9)."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType

import pytest

import fastvarlink
from core.serving import Background
from fastvarlink import DeadlineExceeded

from .conftest import Caller, blocking_client_only
from .rawstream import PATIENCE, RawStream, frame
from .sample import INTERFACE
from .scripted import Script, answers

CallAt = Callable[..., Caller]
SHORT = 0.1
PONG = frame({"parameters": {"text": "pong"}})
FIRST = frame({"parameters": {"i": 0}, "continues": True})


def silent(stream: RawStream) -> None:
    """A script: reads a call and answers when the client has closed, if it still can."""
    stream.read_frame()
    stream.expect_end()
    stream.send(frame({"parameters": {"text": "late"}}))


@pytest.mark.rule("R7")
def test_after_a_deadline_the_next_call_has_a_new_connection(call_at: CallAt) -> None:
    caller = call_at(silent, silent, answers(PONG))
    for _ in range(2):
        with pytest.raises(DeadlineExceeded, match=r"Ping was not answered within 0\.1 seconds"):
            caller.handler.Ping("x", _timeout=SHORT)
    assert caller.handler.Ping("y") == {"text": "pong"}


@pytest.mark.rule("R7")
def test_a_deadline_in_a_stream_ends_it(call_at: CallAt) -> None:
    def script(stream: RawStream) -> None:
        stream.read_frame()
        stream.send(FIRST)
        stream.expect_end()

    caller = call_at(script, answers(PONG))
    replies = caller.handler.Count(3, _more=True, _timeout=5 * SHORT)
    assert next(replies) == {"i": 0}
    with pytest.raises(DeadlineExceeded, match="Count was not answered"):
        next(replies)
    assert next(replies, None) is None
    assert caller.handler.Ping("y") == {"text": "pong"}


@pytest.mark.rule("R7")
@blocking_client_only
def test_calls_that_wait_behind_one_that_takes_too_long_are_answered(call_at: CallAt) -> None:
    caller = call_at(silent, answers(*[frame({"parameters": {"text": str(i)}}) for i in range(4)]))
    exceeding = Background(lambda: caller.handler.Ping("x", _timeout=3 * SHORT))
    assert exceeding.runs_on(SHORT / 2)
    waiting = [Background(caller.handler.Ping, "y") for _ in range(4)]
    with pytest.raises(DeadlineExceeded):
        exceeding.result()
    assert sorted(each.result()["text"] for each in waiting) == ["0", "1", "2", "3"]


def drips(stop: threading.Event, begin: bytes) -> Script:
    """Answers a call by bytes without an end, a few now and then."""

    def script(stream: RawStream) -> None:
        stream.read_frame()
        stream.send(begin)
        while not stop.wait(0.01):
            try:
                stream.socket.sendall(b"x")
            except OSError:
                return

    return script


@pytest.mark.rule("R7")
def test_a_reply_that_drips_does_not_stretch_the_deadline(call_at: CallAt) -> None:
    stop = threading.Event()
    try:
        caller = call_at(drips(stop, b'{"parameters":{"text":"'))
        with pytest.raises(DeadlineExceeded):
            caller.handler.Ping("x", _timeout=3 * SHORT)
    finally:
        stop.set()


@pytest.mark.rule("R7")
def test_a_oneway_call_that_is_not_taken(call_at: CallAt) -> None:
    over = threading.Event()

    def script(stream: RawStream) -> None:
        assert over.wait(PATIENCE)

    caller = call_at(script)
    try:
        with pytest.raises(DeadlineExceeded, match=r"Ping was not written within 0\.1 seconds"):
            caller.handler.Ping("x" * 4_000_000, _oneway=True, _timeout=SHORT)
    finally:
        over.set()


@pytest.fixture
def _many_signals() -> Iterator[None]:
    """A signal every few milliseconds, whose handler returns."""

    def ignore(_number: int, _frame: FrameType | None) -> None:
        pass

    before = signal.signal(signal.SIGALRM, ignore)
    signal.setitimer(signal.ITIMER_REAL, 0.005, 0.005)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.rule("S9")
@pytest.mark.usefixtures("_many_signals")
@blocking_client_only
def test_signals_do_not_start_the_time_anew(call_at: CallAt) -> None:
    caller = call_at(silent)
    began = time.monotonic()
    with pytest.raises(DeadlineExceeded):
        caller.handler.Ping("x", _timeout=3 * SHORT)
    # Without end, if each signal gave it the time again.
    assert time.monotonic() - began < PATIENCE


@pytest.mark.rule("F12")
@blocking_client_only
def test_a_reply_in_a_pipeline_that_drips_is_cut_off(call_at: CallAt) -> None:
    stop = threading.Event()
    try:
        caller = call_at(lambda stream: stream.expect_end(), drips(stop, PONG + b'{"parameters":'))
        caller.handler.close()
        caller.client.limits = fastvarlink.Limits(frame_timeout=3 * SHORT)
        with caller.client.pipeline() as pipeline:
            handler = pipeline.open(INTERFACE)
            first, second = handler.Ping("x"), handler.Ping("y")
        assert first.result() == {"text": "pong"}
        with pytest.raises(TimeoutError, match="Ping was not answered"):
            second.result()
    finally:
        stop.set()
