"""The rules of frames and envelopes once more, as plainly as can be: what the core is compared with."""

from __future__ import annotations

from json import JSONDecoder
from typing import Any

import orjson

# Objects as lists of their members, which show those that stand twice. What numbers are is orjson's to say.
_decoder = JSONDecoder(object_pairs_hook=lambda members: members, parse_int=str, parse_float=str)


def split(data: bytes, limit: int) -> tuple[list[bytes], bool]:
    """The frames up to the first that is over the limit, and whether there is one (rules F1, F7)."""
    frames = data.split(b"\0")
    within = next((i for i, frame in enumerate(frames) if len(frame) > limit), None)
    return frames[: -1 if within is None else within], within is not None


def envelope(frame: bytes, known: dict[str, type]) -> dict[str, Any] | None:
    """The members of a message, None if the rules forbid it (F1 to F4, C1, C2, C4, C5, R1).

    known are the members that may stand in it, with their types; parameters may also be null.
    """
    try:
        message = orjson.loads(frame)
    except ValueError:
        return None
    if not isinstance(message, dict):
        return None
    if len(_decoder.decode(frame.decode())) > len(message):
        return None
    for name, value in message.items():
        if name not in known:
            if "." not in name:
                return None
        elif not isinstance(value, known[name]) and (name, value) != ("parameters", None):
            return None
    return message
