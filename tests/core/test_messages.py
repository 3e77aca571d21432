"""Envelopes against the json module: frames are accepted exactly when a strict reading accepts them."""

from __future__ import annotations

import json
import math
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from fastvarlink._core.session import ClientSession
from fastvarlink.error import ProtocolError
from fastvarlink.limits import Limits

from .serving import make_service

bounded = settings(deadline=None, derandomize=True, max_examples=2500)
CALLS = [
    b'{"method":"org.x.Y"}',
    b'{"method":"org.x.Y","parameters":{"a":"}","b":[1,{"c":"\\"}"}]}}',
    b' {"parameters" : {"a":1} , "method":"a.b" , "more":true } ',
    b'{"method":"a.b","parameters":{},"oneway":false,"upgrade":true}',
    b'{"x.y":{"a":[1,2]},"method":"q.r","parameters":null}',
    b'{"method":"a\xc3\xa9.b","a.\xc3\xa9":"\\u00e9"}',
    b'{"more":false,"method":"a","parameters":{"k":[{"z":{}}]}}',
]
REPLIES = [
    b'{"parameters":{"a":1}}',
    b'{"continues":true,"parameters":{"a":"x"}}',
    b'{"error":"a.b","parameters":{"x":[1]}}',
    b"{}",
    b'{"parameters":{"a":{}},"continues":false}',
    b'{"error":"a\xc3\xa9"}',
    b'{"x.y":[1],"error":"e\\u0041","parameters":null}',
]
FRAGMENTS = [
    *(bytes([byte]) for byte in b'{}[]",:\\/ \t\n\r\x01\x0b\x0c\x7f\x80\xff\xc3\xed01.-eE'),
    *b'\\" \\\\ \\u0000 \\x \\ud800 \\udc00 \\ud83d\\ude00'.split(),
    *b"\xc3\xa9 \xc0\x80 \xed\xa0\x80 \xef\xbb\xbf".split(),
    *b"true false null {} [] -0 01 1. 1e5 1e999 -1e999 NaN Infinity /**/".split(),
    *b'"" "a.b" "method" "parameters" "oneway" "more" "upgrade" "error" "continues"'.split(),
    *b'"x.y":1 "m\\u0065thod" "m\\u006fre":true ,"more":true ,"oneway":true ,"continues":true'.split(),
    b"123456789012345678901234567890",
    b"9" * 400,
    b"\xc2\xa0",
]
CALL = {"method": str, "parameters": dict, "oneway": bool, "more": bool, "upgrade": bool}
REPLY = {"parameters": dict, "error": str, "continues": bool}


@st.composite
def mutated(draw: st.DrawFn, seeds: list[bytes]) -> bytes:
    """A frame with a few places changed."""
    frame = draw(st.sampled_from(seeds))
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(frame)))
        kind = draw(st.sampled_from(["insert", "insert", "delete", "replace", "repeat"]))
        fragment = draw(st.sampled_from(FRAGMENTS))
        if kind == "insert":
            frame = frame[:start] + fragment + frame[start:]
        elif kind == "replace":
            frame = frame[:start] + fragment + frame[start + len(fragment) :]
        else:
            end = min(len(frame), start + draw(st.integers(1, 12)))
            frame = frame[:start] + frame[start:end] * (0 if kind == "delete" else 2) + frame[end:]
    return frame


class Pairs(dict[str, Any]):
    """An object, with whether a name stood twice in it."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.repeats = len(self) != len(pairs)


def _refuse(constant: str) -> Any:
    raise ValueError(constant)


def _number(text: str) -> float:
    # The decoder behind the core refuses what is beyond every float, where json says inf.
    if math.isinf(float(text)):
        raise ValueError(text)
    return 0.5


def read(frame: bytes) -> Any:
    """The object of a frame. ValueError if it is not JSON in UTF-8."""
    value = json.loads(
        frame.decode(),
        object_pairs_hook=Pairs,
        parse_constant=_refuse,
        parse_int=lambda text: int(_number(text)),
        parse_float=_number,
    )
    # A lone surrogate, which json lets pass, is refused here.
    json.dumps(value, ensure_ascii=False).encode()
    return value


def well_formed(frame: bytes, members: dict[str, type]) -> bool:
    """Whether a strict reading accepts a frame as a call or a reply."""
    try:
        message = read(frame)
    except ValueError:
        return False
    if not isinstance(message, Pairs) or message.repeats:
        return False
    for name, value in message.items():
        if name not in members:
            if "." not in name:
                return False
        elif not isinstance(value, members[name]) and not (name == "parameters" and value is None):
            return False
    if members is CALL:
        flags = [message.get(name, False) for name in ("oneway", "more", "upgrade")]
        return "method" in message and sum(flags) <= 1
    return not ("error" in message and message.get("continues", False))


SERVICE = make_service(object())


@bounded
@given(mutated(CALLS))
def test_calls_are_accepted_exactly_when_they_are_well_formed(frame: bytes) -> None:
    """Names of methods that are no valid JSON were accepted, as nobody had decoded them."""
    assume(frame.strip(b"\0"))
    try:
        list(SERVICE.handle(frame))
        accepted = True
    except ProtocolError:
        accepted = False
    assert accepted == well_formed(frame, CALL)


@bounded
@given(mutated(REPLIES))
def test_replies_are_accepted_exactly_when_they_are_well_formed(frame: bytes) -> None:
    """Names of errors that are no valid JSON were accepted, as nobody had decoded them."""
    session = ClientSession(Limits(max_message_size=1 << 20))
    session.send_message(b'{"method":"a.b","more":true}')
    session.receive(frame + b"\0")
    try:
        accepted = session.next_frame() == frame
    except ProtocolError:
        accepted = False
    assert accepted == well_formed(frame, REPLY)
