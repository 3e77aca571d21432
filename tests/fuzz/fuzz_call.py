"""Feeds a server's connection with what a fuzzer makes up. It needs atheris.

    python tests/fuzz/fuzz_call.py -max_total_time=60 tests/fuzz/corpus/call

An input is what a client sends. The arguments are those of fuzz_idl.py.
"""

from __future__ import annotations

import itertools
import logging
import socket
from collections.abc import Callable, Iterator
from typing import Any

import atheris
from fuzzing import DEEPEST, SIZES, arrive, fuzz
from rules import envelope, split

with atheris.instrument_imports(include=["fastvarlink"]):
    import orjson

    import fastvarlink
    from fastvarlink._core.terms import Terms
    from fastvarlink._core.waiting import WaitingConnection

#: Of a message, so small that calls and replies reach it.
LIMIT = 400
TERMS = Terms(fastvarlink.Limits(max_message_size=LIMIT, frame_timeout=None))
MEMBERS = {"method": str, "parameters": dict, "oneway": bool, "more": bool, "upgrade": bool}
#: Methods whose results can be told from the call.
ECHOES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "a.b.Echo": lambda call: call["parameters"],
    "a.b.Seen": lambda call: {"message": call},
}

service = fastvarlink.Service("Example", "Fuzz", "1", "https://example.org/")


@service.interface("""\
interface a.b
type Item (name: string, kind: (one, two), next: ?Item)
method Echo(text: string) -> (text: string)
method Count(n: int) -> (i: int)
method Items(items: []Item, map: ?[string]float) -> (items: []Item, map: ?[string]float)
method Loose(any: ?any, object: ?object) -> (any: ?any, object: ?object)
method Seen() -> (message: object)
method Fail(why: ?string) -> ()
method Break() -> ()
method Unwritten() -> ()
error Failed (why: string)
""")
class Handler:
    """Methods of all kinds: what they give is short and the same each time."""

    def Echo(self, text: str) -> dict[str, Any]:
        return {"text": text}

    def Count(self, n: int) -> Iterator[dict[str, Any]]:
        for i in range(3):
            yield {"i": n, "_continues": i < 2}

    def Items(self, items: list[Any], map: dict[str, float] | None) -> dict[str, Any]:
        return {"items": items, "map": map}

    def Loose(self, any: Any, object: dict[str, Any] | None) -> dict[str, Any]:
        return {"any": any, "object": object}

    def Seen(self, _message: dict[str, Any]) -> dict[str, Any]:
        return {"message": _message}

    def Fail(self, why: str | None) -> None:
        raise fastvarlink.VarlinkError({"error": "a.b.Failed", "parameters": {"why": why}})

    def Break(self) -> None:
        raise RuntimeError


def answer(data: bytes) -> None:
    """The same replies come of any pieces, and the last ones are as many as calls that want one."""
    if data.count(b"[") + data.count(b"{") > DEEPEST:
        return
    replies = serve(data, SIZES[0])
    for size in SIZES[1:]:
        assert serve(data, size) == replies, f"In pieces of {size} bytes there are other replies."
    frames, ended = split(replies, LIMIT)
    assert not ended, "A reply is over the limit."
    given = [orjson.loads(frame) for frame in frames]
    expected = list(itertools.takewhile(lambda call: call is not None, map(call_of, split(data, LIMIT)[0])))
    wanting = [call for call in expected if call and not call.get("oneway")]
    last = [reply for reply in given if not reply.get("continues")]
    assert len(last) == len(wanting), f"There are {len(last)} replies to {len(wanting)} calls."
    for call, reply in zip(wanting, last, strict=True):
        if call["method"] in ECHOES and "error" not in reply:
            assert reply["parameters"] == ECHOES[call["method"]](call), f"{reply} is no reply to {call}."


def call_of(frame: bytes) -> dict[str, Any] | None:
    """The call that a frame is, None if it is none (rules C2, C3)."""
    call = envelope(frame, MEMBERS)
    if call is None or "method" not in call:
        return None
    return call if sum(call.get(flag, False) for flag in ("oneway", "more", "upgrade")) <= 1 else None


def serve(data: bytes, size: int) -> bytes:
    """What a server sends to a client that sends these bytes, in pieces of this size, and then their end."""
    here, peer = arrive(data, size)
    with here, peer:
        WaitingConnection(here, None, service._table, TERMS).serve()
        here.shutdown(socket.SHUT_WR)
        replies = []
        while reply := peer.recv(1 << 16):
            replies.append(reply)
        return b"".join(replies)


if __name__ == "__main__":
    logging.disable()
    fuzz(answer)
