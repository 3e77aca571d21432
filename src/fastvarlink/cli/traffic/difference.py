"""Where two values differ, by path: ``parameters.users[2].name``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

__all__ = ["ABSENT", "Difference", "Path", "differences", "matches", "path_of", "path_text"]

#: The steps from the outside in: names of members and indices.
Path = tuple[str | int, ...]


class _Absent:
    """Stands for a member or element that one side does not have."""

    def __repr__(self) -> str:
        return "nothing"


ABSENT = _Absent()

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_STEP = re.compile(r'\.?(?P<name>[^.\[\]"]+)|\[(?P<index>\d+|\*)\]|\["(?P<quoted>[^"]*)"\]')


class Difference(NamedTuple):
    """A place, what stood there and what stands there now; either may be ABSENT."""

    path: Path
    before: Any
    now: Any


def differences(before: Any, now: Any, path: Path = ()) -> Iterator[Difference]:
    """The places where two values differ, as far inside as can be told."""
    if isinstance(before, dict) and isinstance(now, dict):
        for name in [*before, *(name for name in now if name not in before)]:
            yield from differences(before.get(name, ABSENT), now.get(name, ABSENT), (*path, name))
    elif isinstance(before, list) and isinstance(now, list):
        for i in range(max(len(before), len(now))):
            one = before[i] if i < len(before) else ABSENT
            other = now[i] if i < len(now) else ABSENT
            yield from differences(one, other, (*path, i))
    elif isinstance(before, bool) != isinstance(now, bool) or before != now:
        yield Difference(path, before, now)


def path_text(path: Path) -> str:
    """A path as it is written."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif _PLAIN.fullmatch(step):
            text += f".{step}" if text else step
        else:
            text += f'["{step}"]'
    return text


def path_of(text: str) -> Path:
    """The path that a text says; ``*`` is any member or element. ValueError if it says none."""
    steps: list[str | int] = []
    at = 0
    while at < len(text):
        step = _STEP.match(text, at)
        if step is None:
            raise ValueError(text)
        index = step["index"]
        steps.append(int(index) if index and index != "*" else index or step["name"] or step["quoted"] or "")
        at = step.end()
    if not steps:
        raise ValueError(text)
    return tuple(steps)


def matches(path: Path, pattern: Sequence[str | int]) -> bool:
    """Whether a path is what a pattern says, or something inside of that."""
    return len(path) >= len(pattern) and all(
        wanted in ("*", step) for step, wanted in zip(path, pattern, strict=False)
    )
