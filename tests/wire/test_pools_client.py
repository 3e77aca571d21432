"""What a pool does with connections that the service ends, and with calls that they take along (rule R7)."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

import fastvarlink
from fastvarlink import DeadlineExceeded
from fastvarlink.error import ConnectionLost

from .rawstream import PATIENCE, RawStream, frame
from .sample import DESCRIPTION, INTERFACE
from .scripted import ScriptedPeer, answers

ONE, TWO = (frame({"parameters": {"text": text}}) for text in ("one", "two"))


@pytest.fixture
def pool(peer: ScriptedPeer) -> Iterator[fastvarlink.Pool]:
    with fastvarlink.Pool(peer.address) as made:
        made.add_interface(fastvarlink.Interface(DESCRIPTION))
        yield made
    peer.finish()


@pytest.mark.rule("R7")
def test_after_a_deadline_a_connection_is_not_lent_again(peer: ScriptedPeer, pool: fastvarlink.Pool) -> None:
    def script(stream: RawStream) -> None:
        stream.read_frame()
        stream.expect_end()

    peer.start(script, answers(ONE))
    handler = pool.open(INTERFACE)
    with pytest.raises(DeadlineExceeded):
        handler.Ping("x", _timeout=0.1)
    assert handler.Ping("x") == {"text": "one"}


@pytest.mark.rule("F11")
def test_a_call_that_may_have_been_sent_is_not_repeated(peer: ScriptedPeer, pool: fastvarlink.Pool) -> None:
    def script(stream: RawStream) -> None:
        stream.read_frame()

    peer.start(script, answers(ONE))
    handler = pool.open(INTERFACE)
    with pytest.raises(ConnectionLost, match="The service has closed it"):
        handler.Ping("x")
    assert handler.Ping("x") == {"text": "one"}


@pytest.mark.rule("F11")
@pytest.mark.parametrize("how", ["call", "stream", "oneway"])
def test_a_connection_that_has_ended_is_replaced_before_a_call_is_sent(
    peer: ScriptedPeer, pool: fastvarlink.Pool, how: str
) -> None:
    gone = threading.Event()

    def script(stream: RawStream) -> None:
        stream.read_frame()
        stream.send(ONE)
        stream.close()
        gone.set()

    def again(stream: RawStream) -> None:
        assert b'"again"' in stream.read_frame()
        if how != "oneway":
            stream.send(TWO)
        stream.expect_end()

    peer.start(script, again)
    handler = pool.open(INTERFACE)
    assert handler.Ping("x") == {"text": "one"}
    assert gone.wait(PATIENCE)
    if how == "call":
        assert handler.Ping("again") == {"text": "two"}
    elif how == "stream":
        assert list(handler.Ping("again", _more=True)) == [{"text": "two"}]
    else:
        handler.Ping("again", _oneway=True)


@pytest.mark.rule("R3")
def test_a_connection_with_a_reply_to_no_call_is_replaced(peer: ScriptedPeer, pool: fastvarlink.Pool) -> None:
    sent = threading.Event()

    def script(stream: RawStream) -> None:
        stream.read_frame()
        stream.send(ONE)
        stream.send(ONE)
        sent.set()
        stream.expect_end()

    peer.start(script, answers(TWO))
    handler = pool.open(INTERFACE)
    assert handler.Ping("x") == {"text": "one"}
    assert sent.wait(PATIENCE)
    assert handler.Ping("x") == {"text": "two"}


@pytest.mark.rule("F11")
def test_a_service_that_ends_each_connection_at_once(peer: ScriptedPeer, pool: fastvarlink.Pool) -> None:
    """A new connection that ends before the call is sent is an error: there is no end to trying."""
    peer.start(*[lambda stream: stream.close()] * 3)
    handler = pool.open(INTERFACE)
    for _ in range(3):
        with pytest.raises(ConnectionLost):
            handler.Ping("x")
