"""F10, F11 and S8 at the server: what is done when the caller stops writing, and when there is none."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import fastvarlink

from .eventually import eventually
from .rawstream import PATIENCE, Pieces, RawStream, call
from .sample import INTERFACE, RunningServer, State

PING = f"{INTERFACE}.Ping"
ONE = call(PING, {"text": "one"})


@pytest.mark.rule("F10")
@pytest.mark.parametrize("calls", [1, 5, 200])
def test_half_close_after_calls(stream: RawStream, calls: int) -> None:
    stream.send(ONE * calls)
    stream.end_writing()
    assert stream.read_replies(calls) == [{"parameters": {"text": "one"}}] * calls
    stream.expect_end()


@pytest.mark.rule("F10")
def test_half_close_over_tcp(
    start_server: Callable[..., RunningServer], connect: Callable[[RunningServer], RawStream]
) -> None:
    stream = connect(start_server(address="tcp:127.0.0.1:0"))
    stream.send(ONE)
    stream.end_writing()
    assert stream.read_reply() == {"parameters": {"text": "one"}}
    stream.expect_end()


@pytest.mark.rule("F10")
def test_half_close_while_the_handler_runs(stream: RawStream, state: State) -> None:
    stream.send(call(f"{INTERFACE}.Hold", {"text": "held"}) + ONE)
    stream.end_writing()
    state.wait_for_arrival()
    state.gate.set()
    assert [r["parameters"]["text"] for r in stream.read_replies(2)] == ["held", "one"]
    stream.expect_end()


@pytest.mark.rule("F10")
def test_half_close_after_a_streaming_call(stream: RawStream) -> None:
    stream.send(call(f"{INTERFACE}.Count", {"n": 100}, more=True))
    stream.end_writing()
    assert [r["parameters"]["i"] for r in stream.read_replies(100)] == list(range(100))
    stream.expect_end()


@pytest.mark.rule("F10")
def test_half_close_in_the_middle_of_a_stream(stream: RawStream, state: State) -> None:
    stream.send(call(f"{INTERFACE}.Gated", more=True))
    assert stream.read_reply() == {"parameters": {"i": 0}, "continues": True}
    state.wait_for_arrival()
    stream.end_writing()
    state.gate.set()
    assert stream.read_reply()["parameters"] == {"i": 1}
    stream.expect_end()


@pytest.mark.rule("F10")
def test_half_close_with_nothing_sent(stream: RawStream) -> None:
    stream.end_writing()
    stream.expect_end()


@pytest.mark.rule("F11")
@pytest.mark.parametrize("length", [1, 2, len(ONE) // 2, len(ONE) - 1])
def test_a_fragment_is_dropped(stream: RawStream, length: int) -> None:
    stream.send(ONE[:length])
    stream.end_writing()
    stream.expect_end()


@pytest.mark.rule("F11")
@pytest.mark.parametrize("length", [1, len(ONE) // 2, len(ONE) - 1])
def test_calls_before_a_fragment_are_answered(stream: RawStream, length: int) -> None:
    stream.send(ONE + ONE + ONE[:length])
    stream.end_writing()
    assert stream.read_replies(2) == [{"parameters": {"text": "one"}}] * 2
    stream.expect_end()


@pytest.mark.rule("F11")
def test_a_whole_object_without_its_nul_is_not_called(stream: RawStream, state: State) -> None:
    record = f"{INTERFACE}.Record"
    stream.send(
        call(record, {"text": "whole"}, oneway=True) + call(record, {"text": "fragment"}, oneway=True)[:-1]
    )
    stream.end_writing()
    stream.expect_end()
    eventually(lambda: state.recorded, "the whole call has been made")
    assert state.recorded == ["whole"]


@pytest.mark.rule("S8")
def test_who_comes_while_an_idle_server_decides_is_served(tmp_path: Path, pieces: Pieces) -> None:
    """Whoever can connect gets an answer, at whatever moment."""
    served = 0
    for round_ in range(10):
        server = fastvarlink.ThreadingServer(f"unix:{tmp_path}/idle{round_}", fastvarlink.Service())
        server.exit_idle_time = 0.01
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        with contextlib.suppress(FileNotFoundError):
            while True:
                with RawStream.connect(f"unix:{tmp_path}/idle{round_}", pieces) as stream:
                    stream.send(call("org.varlink.service.GetInfo"))
                    assert "parameters" in stream.read_reply()
                    served += 1
                # Around the time after which it ends.
                time.sleep(0.008 + served % 5 * 0.001)
        thread.join(PATIENCE)
        assert not thread.is_alive()
        server.server_close()
    assert served
