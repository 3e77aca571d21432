"""Everything, for a long time: nothing grows, and no reply is lost."""

from __future__ import annotations

import statistics
from collections import Counter
from pathlib import Path

import pytest

from .endpoints import connected, ping
from .remote import KIB, SECONDS, served, shown, soon

CLIENTS = 4
PERIODS = 12 if SECONDS else 6
PERIOD = SECONDS / PERIODS if SECONDS else 2.0
# Of the memory after the first third. In the short run the allocator still takes what it keeps.
GROWTH = 0.01 if SECONDS else 0.2


def test_everything_for_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The C library gives threads arenas of their own, and each keeps what its largest messages took: that
    # comes and goes by chance, some MiB at a time, and would hide what is ours.
    monkeypatch.setenv("MALLOC_ARENA_MAX", "1")
    with served(tmp_path) as site:
        with connected(site.path) as endpoint:
            ping(endpoint)
            without = site.server.descriptors() - 1
        clients = [site.client("soak", seed) for seed in range(CLIENTS)]
        done: Counter[str] = Counter()
        memory, threads = [], []
        for _ in range(PERIODS):
            for client in clients:
                client.tell(str(PERIOD))
            for client in clients:
                # One that has lost a reply, or got a wrong one, has ended with what it has to say.
                done.update(client.answer())
            # A client has one connection at most; those that it gave up go when their handlers return.
            soon(lambda: site.server.descriptors() <= without + CLIENTS, "all others are closed")
            memory.append(site.server.resident())
            threads.append(site.server.threads())
        warm = PERIODS // 3
        before, after = statistics.mean(memory[warm : 2 * warm]), statistics.mean(memory[-warm:])
        shown("memory after each period, in KiB: " + ", ".join(f"{each / KIB:.0f}" for each in memory))
        shown(
            f"{sum(done.values())} uses in {PERIODS * PERIOD:.0f} s ({dict(sorted(done.items()))}): "
            f"memory {before / KIB:.0f} KiB, then {after / KIB:.0f}, {after / before - 1:+.2%}; "
            f"no descriptor more; threads {threads[warm]} to {threads[-1]}"
        )
        assert len(done) == 10
        assert after < before * (1 + GROWTH)
        # As many as handlers were held at a time, and some to spare.
        assert max(threads[warm:]) <= max(threads[:warm]) + 6
