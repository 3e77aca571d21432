"""Calls faster than they can be answered: the senders are held up, nothing piles up, others are served."""

from __future__ import annotations

import json
from pathlib import Path

from wire.rawstream import call

from .endpoints import INTERFACE, connected
from .remote import KEPT, MIB, SECONDS, served, shown

CONNECTIONS = 8
FLOOD = 20 if SECONDS else 4
LOOKS = 5


def test_a_flood_of_calls_without_replies(tmp_path: Path) -> None:
    with served(tmp_path) as site:
        good = site.client("good", 10)
        flood = site.client("flood", CONNECTIONS, FLOOD)
        quiet = good.ask("1")
        before = site.server.resident()
        flood.tell("flood")
        held = 0
        for _ in range(LOOKS):
            beside = good.ask(str(FLOOD / LOOKS * 0.9))
            held = max(held, site.server.resident() - before)
            assert beside["calls"] > 0
        sent = flood.answer()
        shown(
            f"{CONNECTIONS} connections flood: {sent / FLOOD:,.0f} calls a second, "
            f"{held / MIB:.1f} MiB more; others wait {beside['median']:.0f} us, p99 {beside['p99']:.0f}, "
            f"worst {beside['max']:.0f}, quiet {quiet['median']:.0f} us"
        )
        with connected(site.path) as endpoint:
            endpoint.sendall(call(f"{INTERFACE}.Noted"))
            reply = json.loads(endpoint.recv(1 << 16)[:-1])
        assert reply == {"parameters": {"count": sent}}
        assert held < 16 * MIB + KEPT
        # The queue that each may fill is all that others wait for.
        assert beside["median"] < 1_000_000
