"""Connections on which nothing happens cost next to nothing."""

from __future__ import annotations

import os
import statistics
from pathlib import Path

from .remote import KEPT, KIB, SECONDS, Remote, served, shown, soon

COUNT = 10_000 if SECONDS else 3000
MOST = {"max_connections": 15_000, "max_connections_per_peer": 15_000}
ROUNDS = 21


def test_what_an_idle_connection_holds(tmp_path: Path) -> None:
    with served(tmp_path, **MOST) as site:
        idle = site.client("idle")
        # What is made once is made.
        idle.ask("open 100")
        idle.ask("call")
        idle.ask("close")
        descriptors = site.server.descriptors()
        before = site.server.resident()
        assert idle.ask(f"open {COUNT}") == COUNT
        silent = (site.server.resident() - before) / COUNT
        idle.ask("call")
        used = (site.server.resident() - before) / COUNT
        shown(
            f"{COUNT} idle connections: {silent / KIB:.2f} KiB each, after a call {used / KIB:.2f} KiB each"
        )
        assert silent <= 3 * KIB + KEPT / COUNT
        assert used <= 3 * KIB + KEPT / COUNT
        idle.ask("close")
        soon(lambda: site.server.descriptors() <= descriptors, "the server has closed its ends")


def test_calls_beside_idle_connections(tmp_path: Path) -> None:
    """Two servers on one core with a client each, in turns: one has idle connections, one has not."""
    core = max(os.sched_getaffinity(0))
    for name in ("busy", "quiet"):
        (tmp_path / name).mkdir()
    with served(tmp_path / "busy", **MOST) as busy, served(tmp_path / "quiet", **MOST) as quiet:
        idle = busy.client("idle")
        assert idle.ask(f"open {COUNT}") == COUNT
        idle.ask("call")
        clients: list[Remote] = []
        for site in (busy, quiet):
            clients.append(site.client("good", 1))
            clients[-1].ask("0.1")
            clients[-1].pin(core)
            site.server.pin(core)
        pairs = [tuple(client.ask("0.2")["median"] for client in clients) for _ in range(ROUNDS)]
        ratio = statistics.median(beside / alone for beside, alone in pairs)
        shown(
            f"a call beside {COUNT} idle connections: "
            f"{statistics.median(beside for beside, _ in pairs):.1f} us, "
            f"without {statistics.median(alone for _, alone in pairs):.1f} us, ratio {ratio:.3f}"
        )
        assert ratio <= 1.2
