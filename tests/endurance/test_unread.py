"""Callers that never read what they asked for: the server stops for them, and for nobody else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from .remote import KEPT, MIB, SECONDS, served, shown

COUNT = 200
LOOKS = 20 if SECONDS else 5
# What the server holds beside what it counts: blocks, replies being made. The allocator may keep as much
# again of what was freed. Without a limit it would be ten gigabytes.
SPARE = 48 * MIB


@pytest.mark.parametrize(
    ("method", "parameters", "calls", "max_buffered", "closes"),
    [
        pytest.param("Ping", {"text": "x" * 100}, 1000, 64 * MIB, False, id="many small replies"),
        pytest.param("Big", {"size": MIB}, 50, 64 * MIB, True, id="large replies"),
        pytest.param("Big", {"size": MIB}, 50, 256 * MIB, False, id="large replies, within the limit"),
        pytest.param("Count", {"n": -1, "size": 10}, 1, 64 * MIB, False, id="small replies without end"),
        pytest.param("Count", {"n": -1, "size": MIB}, 1, 64 * MIB, True, id="large replies without end"),
    ],
)
def test_callers_that_never_read(
    tmp_path: Path, method: str, parameters: dict[str, Any], calls: int, max_buffered: int, closes: bool
) -> None:
    with served(tmp_path, max_buffered=max_buffered) as site:
        good = site.client("good", 10)
        good.ask("0.5")
        before = site.server.resident()
        unread = site.client("unread", COUNT, method, json.dumps(parameters), calls)
        unread.answer()
        held, worst = 0, 0.0
        for _ in range(LOOKS):
            beside = good.ask("0.5")
            held, worst = max(held, site.server.resident() - before), max(worst, beside["max"])
            assert beside["calls"] > 0
        still = unread.ask("open")
        shown(
            f"{COUNT} callers of {method} that never read, max_buffered {max_buffered // MIB} MiB: "
            f"{held / MIB:.0f} MiB more, {still} still open; others wait {beside['median']:.0f} us, "
            f"worst {worst / 1000:.1f} ms"
        )
        assert held < 2 * max_buffered + SPARE + KEPT
        # Closed are those that hold most, and only while it is too much.
        assert (still < COUNT) == closes
        assert still * MIB > max_buffered / 4
