"""Connections that leave Varlink at our client (rules C11, C12), at a peer that speaks raw bytes."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable

import pytest

import fastvarlink

from .conftest import Caller
from .rawstream import RawStream, frame
from .sample import INTERFACE
from .scripted import Script

CallAt = Callable[..., Caller]


def answers(reply: bytes, early: bytes) -> Script:
    def script(stream: RawStream) -> None:
        assert b'"upgrade":true' in stream.read_frame()
        stream.send(reply + early)
        assert stream.socket.recv(100) == b"later"
        stream.send(b"end")

    return script


@pytest.mark.rule("C12")
@pytest.mark.parametrize("size", [1, 100_000])
def test_nothing_behind_the_reply_is_read(call_at: CallAt, size: int) -> None:
    text = "x" * (size if size == 1 else 20_000)
    caller = call_at(answers(frame({"parameters": {"text": text}}), b"early\0{}\0"))
    reply, connection = caller.handler.Ping("x", _upgrade=True)
    with connection:
        assert reply == {"text": text}
        # That of an event loop does not block.
        connection.setblocking(True)
        # By the descriptor alone: another program could have it.
        data = b""
        while len(data) < 9:
            data += os.read(connection.fileno(), 9 - len(data))
        assert data == b"early\0{}\0"
        connection.sendall(b"later")
        assert connection.recv(3, socket.MSG_WAITALL) == b"end"


@pytest.mark.rule("C12")
def test_an_error_leaves_the_connection_as_it_was(call_at: CallAt) -> None:
    def script(stream: RawStream) -> None:
        stream.read_frame()
        stream.send(frame({"error": f"{INTERFACE}.Failed", "parameters": {"reason": "no", "code": 1}}))
        assert b"upgrade" not in stream.read_frame()
        stream.send(frame({"parameters": {"text": "y"}}))

    caller = call_at(script)
    with pytest.raises(fastvarlink.VarlinkError):
        caller.handler.Ping("x", _upgrade=True)
    assert caller.handler.Ping("x") == {"text": "y"}


@pytest.mark.rule("C11")
def test_a_service_may_insist_on_it(call_at: CallAt) -> None:
    def script(stream: RawStream) -> None:
        stream.read_frame()
        stream.send(frame({"error": "org.varlink.service.ExpectedUpgrade"}))

    caller = call_at(script)
    with pytest.raises(fastvarlink.error.ExpectedUpgrade):
        caller.handler.Ping("x")
