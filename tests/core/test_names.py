"""Names on the wire: of errors, and of the members of envelopes, plain and written with escapes."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest

import fastvarlink
from fastvarlink._core.session import ClientSession

from .serving import DESCRIPTION, PATIENCE, Background, make_service

LIMIT = 1 << 20


class Peers:
    """A handler of the interface and the raw other end of its socket."""

    def __init__(self) -> None:
        mine, self.other = socket.socketpair()
        for end in (mine, self.other):
            end.settimeout(PATIENCE)
        self.handler: Any = fastvarlink.SimpleClientInterfaceHandler(fastvarlink.Interface(DESCRIPTION), mine)

    def answer(self, reply: bytes) -> Background:
        """Call Ping, and answer it with these bytes."""
        calling = Background(self.handler.Ping)
        assert self.other.recv(1000).endswith(b"\0")
        self.other.sendall(reply + b"\0")
        return calling.wait()

    def close(self) -> None:
        self.handler.close()
        self.other.close()


@pytest.fixture
def peers() -> Iterator[Peers]:
    made = Peers()
    yield made
    made.close()


@pytest.mark.parametrize(
    "reply",
    [
        b'{"error":"a.\xff"}',
        b'{"error":"\xa9"}',
        b'{"error":"\\ud800"}',
        b'{"error":"a\nb"}',
        b'{"error":"\\x"}',
        b'{"error":"\xed\xa0\x80"}',
    ],
)
def test_an_error_name_that_is_not_json_ends_the_connection(peers: Peers, reply: bytes) -> None:
    """Error names were not looked at: a UnicodeDecodeError reached the program and the connection stayed."""
    calling = peers.answer(reply)
    assert isinstance(calling.error, fastvarlink.error.ProtocolError)
    assert peers.other.recv(1) == b""
    with pytest.raises(fastvarlink.error.ConnectionLost):
        peers.handler.Ping()


@pytest.mark.parametrize(
    ("written", "name"),
    [
        (b'"org.example.core.No"', "org.example.core.No"),
        (b'"org.example\\u002ecore.\\u004eo"', "org.example.core.No"),
        (b'"a.\\ud83d\\ude00"', "a.\N{GRINNING FACE}"),
        ('"a.é"'.encode(), "a.é"),
        (b'"a\\"b\\\\"', 'a"b\\'),
        (b'""', ""),
    ],
)
def test_error_names_are_read_whole(peers: Peers, written: bytes, name: str) -> None:
    """With the names looked at, those with escapes and those beyond ASCII still have to pass."""
    calling = peers.answer(b'{"error":' + written + b"}")
    assert isinstance(calling.error, fastvarlink.VarlinkError)
    assert calling.error.error() == name
    assert peers.answer(b"{}").result() == {}


def answers(frame: bytes) -> list[Any]:
    """What a service replies to a frame."""

    class Handler:
        def Echo(self, text: str) -> dict[str, str]:
            return {"text": text}

    return [json.loads(reply) for reply in make_service(Handler()).handle(frame)]


ECHO = {"parameters": {"text": "a"}}


@pytest.mark.parametrize(
    ("frame", "replies"),
    [
        (rb'{"m\u0065thod":"org.example.core.Echo","parameters":{"text":"a"}}', [ECHO]),
        (rb'{"method":"org.example.core.\u0045cho","parameters":{"text":"a"}}', [ECHO]),
        (rb'{"method":"org.example.core.Echo","p\u0061rameters":{"text":"a"}}', [ECHO]),
        (rb'{"method":"org.example.core.Echo","parameters":{"t\u0065xt":"a"}}', [ECHO]),
        (rb'{"parameters":{"text":"a"},"on\u0065way":true,"method":"org.example.core.Echo"}', []),
        (rb'{"method":"org.example.core.Echo","x\u002ey":{},"parameters":{"text":"a"}}', [ECHO]),
    ],
)
def test_member_names_of_a_call_with_escapes(frame: bytes, replies: list[Any]) -> None:
    """A known member was only known by its plain bytes: written with an escape it was an unknown one."""
    assert answers(frame) == replies


@pytest.mark.parametrize(
    "frame",
    [
        rb'{"method":"a.B","m\u0065thod":"a.B"}',
        rb'{"method":"a.B","parameters":{},"p\u0061rameters":{}}',
        rb'{"method":"a.B","x.y":1,"x\u002ey":1}',
        rb'{"method":"a.B","\u0078":1}',
        rb'{"method":"a.B","\ud800.x":1}',
        rb'{"method":"a.\ud800"}',
        rb'{"method":"a.B","\u0065rror":"x.y"}',
        rb'{"method":"a.B","on\u0065way":1}',
        b'{"method":"a.\xff"}',
        b'{"method":"a.B","x.\xff":1}',
        rb'{"method":"a.B","oneway":true,"m\u006fre":true}',
    ],
)
def test_escapes_do_not_get_around_the_rules(frame: bytes) -> None:
    """A member could stand twice, or not be known at all, when its name was written with an escape."""
    with pytest.raises(fastvarlink.error.ProtocolError):
        answers(frame)


@pytest.mark.parametrize(
    ("reply", "accepted"),
    [
        (rb'{"p\u0061rameters":{"text":"a"}}', True),
        (rb'{"\u0065rror":"a.B"}', True),
        (rb'{"contin\u0075es":true}', True),
        (rb'{"parameters":{},"p\u0061rameters":{}}', False),
        (rb'{"error":"a.B","contin\u0075es":true}', False),
        (rb'{"m\u0065thod":"a.B"}', False),
        (rb'{"\u0065rror":1}', False),
    ],
)
def test_member_names_of_a_reply_with_escapes(reply: bytes, accepted: bool) -> None:
    """As with calls: the rules hold for members however their names are written."""
    session = ClientSession(fastvarlink.Limits(max_message_size=LIMIT))
    session.send_message(b'{"method":"a.B","more":true}')
    session.receive(reply + b"\0")
    if accepted:
        assert session.next_frame() == reply
    else:
        with pytest.raises(fastvarlink.error.ProtocolError):
            session.next_frame()
