"""Numbers as the values of options. ValueError makes argparse refuse one, under the name of the function."""

from __future__ import annotations

__all__ = ["how_many", "span"]


def how_many(text: str) -> int:
    """How many of something: one at least."""
    value = int(text)
    if value < 1:
        raise ValueError(text)
    return value


def span(text: str) -> float:
    """So many seconds, perhaps none."""
    value = float(text)
    if not 0 <= value < 1e9:
        raise ValueError(text)
    return value


how_many.__name__, span.__name__ = "number", "number of seconds"
