"""The rules of frames and envelopes once more, as plainly as can be: what the core is compared with."""

from __future__ import annotations

import json
from typing import Any

import orjson


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
    # The outermost object is the last one that the hook gets.
    objects: list[list[tuple[str, Any]]] = []
    json.loads(frame, object_pairs_hook=objects.append, parse_int=str, parse_float=str)
    if len(objects[-1]) > len(message):
        return None
    for name, value in message.items():
        if name not in known:
            if "." not in name:
                return None
        elif not isinstance(value, known[name]) and (name, value) != ("parameters", None):
            return None
    return message
