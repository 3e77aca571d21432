"""A reply that begins and does not end, at our client (rule F12)."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

import fastvarlink
from fastvarlink.error import ConnectionLost

from .conftest import Caller
from .rawstream import RawStream, frame
from .scripted import Script

CallAt = Callable[..., Caller]
LIMITS = fastvarlink.Limits(frame_timeout=0.2)


def drips(stop: threading.Event) -> Script:
    """Answers a call by a byte now and then, until it is cut off."""

    def script(stream: RawStream) -> None:
        stream.read_frame()
        stream.send(b'{"parameters":{"text":"')
        while not stop.wait(0.02):
            try:
                stream.socket.sendall(b"x")
            except OSError:
                return

    return script


@pytest.mark.rule("F12")
def test_a_reply_that_drips_is_cut_off(call_at: CallAt) -> None:
    stop = threading.Event()
    try:
        caller = call_at(drips(stop), limits=LIMITS)
        with pytest.raises(TimeoutError, match="begun a reply and not finished it"):
            caller.handler.Ping("x")
        with pytest.raises(ConnectionLost):
            caller.handler.Ping("x")
    finally:
        stop.set()


@pytest.mark.rule("F12")
def test_a_reply_may_begin_late(call_at: CallAt) -> None:
    """The service may think for as long as it likes."""
    asked = threading.Event()

    def script(stream: RawStream) -> None:
        stream.read_frame()
        # There is no event for a limit that does not strike.
        asked.wait(0.6)
        stream.send(frame({"parameters": {"text": "y"}}))

    caller = call_at(script, limits=LIMITS)
    assert caller.handler.Ping("x") == {"text": "y"}
