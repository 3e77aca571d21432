"""F1 to F4, F7 to F9 and F11 at the client: frames, garbage, limits and the end of the peer."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest

import fastvarlink
from fastvarlink.error import ConnectionLost, MessageTooLarge, ProtocolError

from .conftest import Caller
from .malformed import BAD_SURROUNDINGS, BAD_VALUES, EMPTY, surrounded
from .rawstream import PATIENCE, PeerEndedError, Pieces, RawStream, call, frame
from .sample import DESCRIPTION, INTERFACE
from .scripted import Script, ScriptedPeer, answers

CallAt = Callable[..., Caller]
PING = f"{INTERFACE}.Ping"
GOOD = b'{"parameters":{"text":"good"}}'
LIMIT = 4096


def bodies(cases: dict[str, bytes]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("body", cases.values(), ids=cases.keys())


def refuses(caller: Caller) -> None:
    """The call that is waiting fails, the client closes, and the next call fails as well."""
    with pytest.raises(ProtocolError):
        caller.handler.Ping("asked")
    caller.peer.finish()
    with pytest.raises(ConnectionError):
        caller.handler.Ping("again")


@pytest.mark.rule("F1")
def test_a_call_is_one_frame(call_at: CallAt) -> None:
    seen: list[bytes] = []

    def script(stream: RawStream) -> None:
        seen.append(stream.read_frame())
        stream.send(GOOD + b"\0")
        stream.expect_end()

    caller = call_at(script)
    assert caller.handler.Ping("grüße\0") == {"text": "good"}
    caller.handler.close()
    caller.peer.finish()
    assert seen == [b'{"method":"org.example.wire.Ping","parameters":{"text":"gr\xc3\xbc\xc3\x9fe\\u0000"}}']


@pytest.mark.rule("F1")
def test_members_of_a_call(call_at: CallAt) -> None:
    seen: list[bytes] = []

    def script(stream: RawStream) -> None:
        for reply in (frame({"parameters": {"i": 0}}), None, b"{}\0"):
            seen.append(stream.read_frame())
            if reply is not None:
                stream.send(reply)
        stream.expect_end()

    caller = call_at(script)
    assert list(caller.handler.Count(1, _more=True)) == [{"i": 0}]
    assert caller.handler.Record("x", _oneway=True) is None
    assert caller.handler.Unwritten() == {}
    caller.handler.close()
    caller.peer.finish()
    assert seen == [
        b'{"method":"org.example.wire.Count","more":true,"parameters":{"n":1}}',
        b'{"method":"org.example.wire.Record","oneway":true,"parameters":{"text":"x"}}',
        b'{"method":"org.example.wire.Unwritten"}',
    ]


@pytest.mark.rule("F1")
def test_replies_that_arrive_together(call_at: CallAt) -> None:
    replies = [frame({"parameters": {"i": i}, "continues": i < 49}) for i in range(50)]
    caller = call_at(answers(b"".join(replies)))
    assert [reply["i"] for reply in caller.handler.Count(50, _more=True)] == list(range(50))


@pytest.mark.rule("F1")
def test_every_split_of_a_reply(call_at: CallAt) -> None:
    reply = frame({"parameters": {"text": "ä€😀"}})

    def script(stream: RawStream) -> None:
        for cut in range(1, len(reply)):
            stream.read_frame()
            stream.send(reply[:cut])
            stream.settle()
            stream.send(reply[cut:])
        stream.expect_end()

    caller = call_at(script)
    for _ in range(1, len(reply)):
        assert caller.handler.Ping("x") == {"text": "ä€😀"}


@pytest.mark.rule("F2")
def test_white_space_around_a_reply(call_at: CallAt) -> None:
    caller = call_at(answers(b" \r\n\t" + GOOD + b"\r\n\t \0", GOOD + b"\n\0"))
    assert caller.handler.Ping("x") == {"text": "good"}
    assert caller.handler.Ping("x") == {"text": "good"}


@pytest.mark.rule("F2")
def test_no_white_space_is_sent(call_at: CallAt) -> None:
    seen: list[bytes] = []

    def script(stream: RawStream) -> None:
        seen.append(stream.read_frame())
        stream.send(b'{"parameters":{"i":0},"continues":false}\0')
        stream.expect_end()

    caller = call_at(script)
    assert [reply["i"] for reply in caller.handler.Count(1, _more=True)] == [0]
    caller.handler.close()
    caller.peer.finish()
    assert b" " not in seen[0]
    assert b"\n" not in seen[0]


@pytest.mark.rule("F3")
@bodies(EMPTY)
def test_an_empty_reply_frame_is_refused(call_at: CallAt, body: bytes) -> None:
    refuses(call_at(answers(body + b"\0")))


@pytest.mark.rule("F3")
@pytest.mark.rule("F4")
@bodies(BAD_SURROUNDINGS)
def test_something_beside_the_reply_is_refused(call_at: CallAt, body: bytes) -> None:
    refuses(call_at(answers(surrounded(body, GOOD) + b"\0")))


@pytest.mark.rule("F4")
@bodies(BAD_VALUES)
def test_bad_json_in_a_reply_is_refused(call_at: CallAt, body: bytes) -> None:
    refuses(call_at(answers(b'{"parameters":{"text":' + body + b"}}\0")))


@pytest.mark.rule("F4")
@bodies(BAD_VALUES)
def test_bad_json_in_an_unknown_field_is_refused(call_at: CallAt, body: bytes) -> None:
    refuses(call_at(answers(b'{"parameters":{"text":"x","extra":' + body + b"}}\0")))


@pytest.mark.rule("F4")
@bodies(BAD_VALUES)
def test_bad_json_in_an_extension_is_refused(call_at: CallAt, body: bytes) -> None:
    refuses(call_at(answers(GOOD[:-1] + b',"com.example.a":' + body + b"}\0")))


@pytest.mark.rule("F7")
def test_a_reply_under_the_limit_is_taken(call_at: CallAt) -> None:
    text = "x" * (LIMIT - 100)
    caller = call_at(
        answers(frame({"parameters": {"text": text}})), limits=fastvarlink.Limits(max_message_size=LIMIT)
    )
    assert caller.handler.Ping("x") == {"text": text}


@pytest.mark.rule("F7")
@pytest.mark.parametrize("extra", [1, 100, 1 << 20])
def test_a_reply_without_end_is_refused(call_at: CallAt, extra: int) -> None:
    refuses(call_at(answers(b" " * (LIMIT + extra)), limits=fastvarlink.Limits(max_message_size=LIMIT)))


@pytest.mark.rule("F7")
def test_a_whole_reply_over_the_limit_is_refused(call_at: CallAt) -> None:
    reply = frame({"parameters": {"text": "x" * LIMIT}})
    refuses(call_at(answers(reply), limits=fastvarlink.Limits(max_message_size=LIMIT)))


@pytest.mark.rule("F8")
@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
@pytest.mark.parametrize("depth", [1030, 20_000])
def test_a_reply_that_is_nested_too_deep_is_refused(call_at: CallAt, depth: int, opening: bytes) -> None:
    closing = {b"[": b"]", b'{"a":': b"}"}[opening]
    reply = b'{"parameters":{"text":"x","extra":' + opening * depth + b"1" + closing * depth + b"}}\0"
    refuses(call_at(answers(reply)))


def echo(stream: RawStream) -> None:
    """A script: each call is answered with the text that it brings, until the client closes."""
    while True:
        try:
            found = stream.read_frame()
        except PeerEndedError as end:
            if end.fragment:
                raise
            return
        text = found.partition(b'"text":"')[2].partition(b'"')[0]
        stream.send(b'{"parameters":{"text":"' + text + b'"}}\0')


@pytest.mark.rule("F9")
@pytest.mark.parametrize("size", [LIMIT, 2 * LIMIT, 1 << 20])
def test_a_call_over_the_limit_is_not_sent(call_at: CallAt, size: int) -> None:
    caller = call_at(echo, limits=fastvarlink.Limits(max_message_size=LIMIT))
    assert caller.handler.Ping("before") == {"text": "before"}
    with pytest.raises(MessageTooLarge):
        caller.handler.Ping("x" * size)
    assert caller.handler.Ping("after") == {"text": "after"}


@pytest.mark.rule("F9")
@pytest.mark.parametrize("keywords", [{"_more": True}, {"_oneway": True}])
def test_a_flagged_call_over_the_limit_is_not_sent(call_at: CallAt, keywords: dict[str, bool]) -> None:
    caller = call_at(echo, limits=fastvarlink.Limits(max_message_size=LIMIT))
    with pytest.raises(MessageTooLarge):
        # The call of a stream may be sent when its first reply is asked for.
        list(caller.handler.Ping("x" * LIMIT, **keywords))
    assert caller.handler.Ping("after") == {"text": "after"}


@pytest.mark.rule("F7")
@pytest.mark.rule("F9")
def test_the_limit_of_a_handler_without_a_client(pieces: Pieces) -> None:
    seen: list[bytes] = []

    def script(stream: RawStream) -> None:
        seen.append(stream.read_frame())
        stream.send(b" " * (LIMIT + 1))

    ours, theirs = socket.socketpair()
    interface = fastvarlink.Interface(DESCRIPTION)
    with (
        RawStream(theirs, pieces) as stream,
        fastvarlink.SimpleClientInterfaceHandler(
            interface, ours, limits=fastvarlink.Limits(max_message_size=LIMIT)
        ) as made,
    ):
        handler: Any = made
        with pytest.raises(MessageTooLarge):
            handler.Ping("x" * LIMIT)
        peer = threading.Thread(target=script, args=(stream,))
        peer.start()
        with pytest.raises(ProtocolError):
            handler.Ping("asked")
        peer.join(PATIENCE)
        stream.expect_end()
    assert seen == [call(PING, {"text": "asked"})[:-1]]


def cut_off(reply: bytes) -> Script:
    """A script: the call is answered with these bytes, then the connection ends."""

    def script(stream: RawStream) -> None:
        stream.read_frame()
        stream.send(reply)

    return script


@pytest.mark.rule("F11")
@pytest.mark.parametrize("length", [0, 1, len(GOOD) // 2, len(GOOD)])
def test_a_reply_cut_off_fails_the_call(call_at: CallAt, length: int) -> None:
    caller = call_at(cut_off(GOOD[:length]))
    with pytest.raises(ConnectionLost):
        caller.handler.Ping("x")
    with pytest.raises(ConnectionError):
        caller.handler.Ping("again")


@pytest.mark.rule("F11")
@pytest.mark.parametrize("length", [0, 1, len(GOOD) // 2, len(GOOD)])
def test_a_stream_cut_off_fails_the_call(call_at: CallAt, length: int) -> None:
    first = frame({"parameters": {"i": 0}, "continues": True})
    caller = call_at(cut_off(first + GOOD[:length]))
    replies = caller.handler.Count(3, _more=True)
    assert next(replies) == {"i": 0}
    with pytest.raises(ConnectionLost):
        next(replies)


@pytest.mark.rule("F11")
def test_the_peer_ends_between_calls(call_at: CallAt, peer: ScriptedPeer) -> None:
    caller = call_at(cut_off(GOOD + b"\0"))
    assert caller.handler.Ping("x") == {"text": "good"}
    peer.finish()
    with pytest.raises(ConnectionError):
        caller.handler.Ping("again")
