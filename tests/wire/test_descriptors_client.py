"""File descriptors at our client (rules D1 to D4), at a peer that speaks raw bytes."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable

import pytest

import fastvarlink
from fastvarlink.error import MissingDescriptor, ProtocolError

from .conftest import Caller
from .passing import held, holding
from .rawstream import RawStream, frame

CallAt = Callable[..., Caller]


def reply(text: str, **members: bool) -> bytes:
    return frame({"parameters": {"text": text}} | members)


def send(stream: RawStream, data: bytes, *texts: str) -> None:
    """Send bytes, the first of them with descriptors that hold the texts."""
    fds = [holding(text) for text in texts]
    first = data if stream.pieces == "whole" else data[:1]
    taken = socket.send_fds(stream.socket, [first], fds)
    for fd in fds:
        os.close(fd)
    stream.send(data[taken:])


@pytest.mark.rule("D2")
def test_a_call_brings_them_with_its_first_byte(call_at: CallAt) -> None:
    received: list[str] = []

    def script(stream: RawStream) -> None:
        data, fds, _, _ = socket.recv_fds(stream.socket, 1, 10)
        assert data == b"{"
        received.extend(held(fd) for fd in fds)
        stream.read_frame()
        stream.send(reply("y"))

    caller = call_at(script)
    with fastvarlink.Descriptors() as descriptors:
        assert descriptors.give(holding("one")) == 0
        with open("/dev/null", "rb") as file:
            # A file stays the program's own.
            assert descriptors.give(file) == 1
            assert caller.handler.Ping("x", _descriptors=descriptors) == {"text": "y"}
            assert not file.closed
            os.fstat(file.fileno())
    assert received == ["one", ""]


@pytest.mark.rule("D2")
def test_each_reply_has_its_own(call_at: CallAt) -> None:
    def script(stream: RawStream) -> None:
        stream.read_frame()
        # All arrive together, or nearly so.
        send(stream, reply("none", continues=True))
        send(stream, reply("two", continues=True), "a", "b")
        send(stream, reply("one"), "c")

    caller = call_at(script)
    descriptors = fastvarlink.Descriptors()
    found = []
    for each in caller.handler.Ping("x", _more=True, _descriptors=descriptors):
        found.append((each["text"], [held(descriptors.take(i)) for i in range(len(descriptors))]))
    assert found == [("none", []), ("two", ["a", "b"]), ("one", ["c"])]


@pytest.mark.rule("D3")
def test_received_ones_are_closed_when_children_start_and_when_nobody_takes_them(call_at: CallAt) -> None:
    def script(stream: RawStream) -> None:
        stream.read_frame()
        send(stream, reply("y"), "one", "two")

    caller = call_at(script)
    with fastvarlink.Descriptors() as descriptors:
        caller.handler.Ping("x", _descriptors=descriptors)
        first, second = descriptors[0], descriptors.take(1)
        assert not os.get_inheritable(first)
        assert not os.get_inheritable(second)
        with pytest.raises(MissingDescriptor):
            descriptors.take(1)
        with pytest.raises(IndexError, match="no descriptor 2"):
            descriptors[2]
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(first)
    assert held(second) == "two"


@pytest.mark.rule("D2")
def test_those_in_the_middle_of_a_reply_close(call_at: CallAt) -> None:
    def script(stream: RawStream) -> None:
        stream.read_frame()
        stream.send(reply("y"))
        stream.read_frame()
        stream.send(reply("y")[:10])
        stream.settle()
        send(stream, reply("y")[10:], "one")
        stream.expect_end()

    caller = call_at(script)
    caller.handler.Ping("x")
    before = len(os.listdir("/proc/self/fd"))
    with fastvarlink.Descriptors() as descriptors:
        with pytest.raises(ProtocolError, match="file descriptors in the middle of a message"):
            caller.handler.Ping("x", _descriptors=descriptors)
        assert len(descriptors) == 0
    assert len(os.listdir("/proc/self/fd")) <= before


@pytest.mark.rule("D1")
def test_unexpected_ones_are_closed_at_once(call_at: CallAt) -> None:
    def script(stream: RawStream) -> None:
        for _ in range(3):
            stream.read_frame()
            send(stream, reply("y"), "one")

    caller = call_at(script)
    caller.handler.Ping("x")
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(2):
        assert caller.handler.Ping("x") == {"text": "y"}
    assert len(os.listdir("/proc/self/fd")) <= before + 1


@pytest.mark.rule("D4")
def test_a_refusal_of_their_number(call_at: CallAt) -> None:
    def script(stream: RawStream) -> None:
        stream.read_frame()
        invalid = "org.varlink.service.InvalidParameter"
        stream.send(frame({"error": invalid, "parameters": {"parameter": "descriptors"}}))

    caller = call_at(script)
    with fastvarlink.Descriptors() as descriptors:
        descriptors.give(holding("one"))
        with pytest.raises(fastvarlink.InvalidParameter) as caught:
            caller.handler.Ping("x", _descriptors=descriptors)
    assert caught.value.parameters() == {"parameter": "descriptors"}


@pytest.mark.rule("D3")
def test_what_cannot_be_given(call_at: CallAt) -> None:
    with fastvarlink.Descriptors() as descriptors:
        with pytest.raises(OSError, match="Bad file descriptor"):
            descriptors.give(-1)
        for _ in range(253):
            descriptors.give(os.dup(0))
        with pytest.raises(ValueError, match="253 descriptors at most"):
            descriptors.give(0)
