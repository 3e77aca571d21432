"""Feeds a client's connection with what a fuzzer makes up. It needs atheris.

    python tests/fuzz/fuzz_reply.py -max_total_time=60 tests/fuzz/corpus/reply

An input is what a service sends to the calls below. The arguments are those of fuzz_idl.py.
"""

from __future__ import annotations

from typing import Any

import atheris
from fuzzing import DEEPEST, SIZES, arrive, fuzz
from rules import envelope, split

with atheris.instrument_imports(include=["fastvarlink"]):
    import orjson

    from fastvarlink._core.channel import Channel
    from fastvarlink.client.plans import plans_of
    from fastvarlink.error import ConnectionLost, ProtocolError, VarlinkError
    from fastvarlink.idl.interface import Interface
    from fastvarlink.limits import Limits

#: Of a message, so small that replies reach it.
LIMIT = 400
MEMBERS = {"parameters": dict, "continues": bool, "error": str}

plans = plans_of(
    Interface.from_specification("""\
interface a.b
type Item (name: string, kind: (one, two), next: ?Item)
method Echo(text: string) -> (text: string)
method Items() -> (items: []Item, map: ?[string]float)
method Any() -> (any: ?any, object: ?object, int: ?int, bool: ?bool)
method Nothing() -> ()
error Failed (why: string)
""")
)
#: What has been called, and whether with more.
CALLS = (("Nothing", False), ("Any", True), ("Items", False), ("Echo", True), ("Any", False), ("Items", True))
MESSAGES = [orjson.dumps({"method": f"a.b.{method}", "more": more}) for method, more in CALLS]


def take(data: bytes) -> None:
    """The same replies and the same end come of any pieces: those that the rules allow, and what they say."""
    if data.count(b"[") + data.count(b"{") > DEEPEST:
        return
    frames, results, broken = receive(data, SIZES[0])
    for size in SIZES[1:]:
        assert receive(data, size) == (frames, results, broken), f"In pieces of {size} bytes: something else."
    assert (frames, broken) == allowed(data), f"Taken were {frames}, then broken: {broken}."
    for frame, result in zip(frames, results, strict=True):
        reply = orjson.loads(frame)
        if "error" in reply:
            assert result["error"] == reply["error"], f"{frame!r} was taken for {result}."


def allowed(data: bytes) -> tuple[list[bytes], bool]:
    """The replies up to the first that the rules forbid, and whether there is one (R1, R3)."""
    frames, broken = split(data, LIMIT)
    waiting = list(CALLS)
    for i, frame in enumerate(frames):
        reply = envelope(frame, MEMBERS)
        if reply is None or not waiting:
            return frames[:i], True
        if not reply.get("continues"):
            del waiting[0]
        elif "error" in reply or not waiting[0][1]:
            return frames[:i], True
    return frames, broken


def receive(data: bytes, size: int) -> tuple[list[bytes], list[dict[str, Any]], bool]:
    """What a client takes of these bytes in pieces of this size.

    The replies, what each of them gives or raises, and whether the service has broken the protocol.
    """
    here, peer = arrive(data, size)
    frames: list[bytes] = []
    results: list[dict[str, Any]] = []
    with here, peer:
        channel = Channel(here, Limits(max_message_size=LIMIT))
        for message in MESSAGES:
            channel.send_message(message)
        waiting = [plans.call(method) for method, _ in CALLS]
        try:
            while True:
                frames.append(channel.next_message())
                try:
                    results.append(waiting[0].answer(channel.session, False))
                except VarlinkError as error:
                    results.append(error.as_dict())
                if channel.session.last:
                    del waiting[0]
        except ProtocolError:
            return frames, results, True
        except ConnectionLost:
            return frames, results, False


if __name__ == "__main__":
    fuzz(take)
