"""Pipelines at a peer that follows a script (rules F1, F11, R3, R7)."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator

import pytest

import fastvarlink
from fastvarlink import DeadlineExceeded
from fastvarlink.error import ConnectionLost, ProtocolError

from .rawstream import PATIENCE, RawStream, frame
from .sample import DESCRIPTION, INTERFACE
from .scripted import ScriptedPeer


def pong(text: str) -> bytes:
    return frame({"parameters": {"text": text}})


@pytest.fixture
def client(peer: ScriptedPeer) -> Iterator[fastvarlink.Client]:
    with fastvarlink.Client(peer.address) as made:
        made.add_interface(fastvarlink.Interface(DESCRIPTION))
        yield made
    peer.finish()


@pytest.mark.rule("F1")
def test_calls_are_sent_together_and_answered_in_any_pieces(
    peer: ScriptedPeer, client: fastvarlink.Client
) -> None:
    queued = threading.Event()

    def script(stream: RawStream) -> None:
        # Nothing has been sent before a reply is asked for.
        stream.socket.setblocking(False)
        assert queued.wait(PATIENCE)
        with pytest.raises(BlockingIOError):
            stream.socket.recv(1)
        stream.socket.settimeout(PATIENCE)
        go.set()
        calls = [json.loads(stream.read_frame())["parameters"]["text"] for _ in range(20)]
        stream.send(b"".join(pong(text) for text in calls))
        stream.expect_end()

    go = threading.Event()
    peer.start(script)
    with client.pipeline() as pipeline:
        handler = pipeline.open(INTERFACE)
        replies = [handler.Ping(str(i)) for i in range(20)]
        queued.set()
        assert go.wait(PATIENCE)
    assert [reply.result()["text"] for reply in replies] == [str(i) for i in range(20)]


@pytest.mark.rule("F11")
@pytest.mark.parametrize("fragment", [b"", b'{"parameters":{"te'])
def test_replies_that_came_before_the_end_are_there(
    peer: ScriptedPeer, client: fastvarlink.Client, fragment: bytes
) -> None:
    def script(stream: RawStream) -> None:
        for _ in range(5):
            stream.read_frame()
        stream.send(pong("0") + pong("1") + fragment)

    peer.start(script)
    with client.pipeline() as pipeline:
        handler = pipeline.open(INTERFACE)
        replies = [handler.Ping(str(i)) for i in range(5)]
    assert [reply.result()["text"] for reply in replies[:2]] == ["0", "1"]
    for reply in replies[2:]:
        assert reply.done
        with pytest.raises(ConnectionLost, match=r"Ping was not answered. The service has closed it"):
            reply.result()


@pytest.mark.rule("F11")
def test_replies_that_came_before_nothing_could_be_written_are_there(
    peer: ScriptedPeer, client: fastvarlink.Client
) -> None:
    gone = threading.Event()

    def script(stream: RawStream) -> None:
        stream.read_frame()
        stream.send(pong("0") + pong("1"))
        stream.close()
        gone.set()

    peer.start(script)
    with client.pipeline() as pipeline:
        handler = pipeline.open(INTERFACE)
        first, second = handler.Ping("0"), handler.Ping("1")
        assert first.result() == {"text": "0"}
        assert gone.wait(PATIENCE)
        third = handler.Ping("2")
        with pytest.raises(ConnectionLost, match="Ping was not answered"):
            third.result()
        assert second.result() == {"text": "1"}
        with pytest.raises(ConnectionLost, match="takes no more calls"):
            handler.Ping("3")


@pytest.mark.rule("R3")
@pytest.mark.parametrize(
    "garbage",
    [b"garbage\0", frame({"parameters": {}, "continues": True}), b"\0"],
    ids=["json", "more", "empty"],
)
def test_what_is_no_reply_fails_what_waits(
    peer: ScriptedPeer, client: fastvarlink.Client, garbage: bytes
) -> None:
    def script(stream: RawStream) -> None:
        for _ in range(3):
            stream.read_frame()
        stream.send(pong("0") + garbage + pong("2"))
        stream.expect_end()

    peer.start(script)
    with client.pipeline() as pipeline:
        handler = pipeline.open(INTERFACE)
        replies = [handler.Ping(str(i)) for i in range(3)]
    assert replies[0].result() == {"text": "0"}
    for reply in replies[1:]:
        with pytest.raises(ProtocolError, match=r"Ping was not answered\. The peer sent a message that"):
            reply.result()


@pytest.mark.rule("R3")
def test_a_reply_to_no_call_is_not_taken_for_the_next(peer: ScriptedPeer, client: fastvarlink.Client) -> None:
    sent = threading.Event()

    def script(stream: RawStream) -> None:
        stream.send(pong("stray"))
        sent.set()
        stream.expect_end()

    peer.start(script)
    with client.pipeline() as pipeline:
        assert sent.wait(PATIENCE)
        reply = pipeline.open(INTERFACE).Ping("x")
    with pytest.raises(ProtocolError, match="reply to no call"):
        reply.result()


@pytest.mark.rule("R7")
def test_a_pipeline_whose_time_is_over_is_closed(peer: ScriptedPeer, client: fastvarlink.Client) -> None:
    def script(stream: RawStream) -> None:
        stream.read_frame()
        stream.send(pong("0"))
        stream.read_frame()
        stream.expect_end()

    peer.start(script)
    with pytest.raises(DeadlineExceeded), client.pipeline(timeout=0.5) as pipeline:  # noqa: PT012  (its end)
        handler = pipeline.open(INTERFACE)
        first, second = handler.Ping("0"), handler.Ping("1")
    assert first.result() == {"text": "0"}
    with pytest.raises(DeadlineExceeded, match=r"Ping was not answered within 0\.5 seconds"):
        second.result()


@pytest.mark.rule("F1")
def test_both_sides_write_more_than_the_other_takes(peer: ScriptedPeer, client: fastvarlink.Client) -> None:
    """The peer reads the next call only when its reply to the last one has been taken."""
    filler = "x" * (100_000 if peer._pieces == "whole" else 20)
    count = 50

    def script(stream: RawStream) -> None:
        for i in range(count):
            stream.read_frame()
            stream.send(pong(f"{i} {filler}"))
        stream.expect_end()

    peer.start(script)
    with client.pipeline() as pipeline:
        handler = pipeline.open(INTERFACE)
        replies = [handler.Ping(filler) for _ in range(count)]
    assert [reply.result()["text"] for reply in replies] == [f"{i} {filler}" for i in range(count)]
