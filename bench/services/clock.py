"""Repeat something for some time, and say how long each took."""

from collections.abc import Callable
from time import perf_counter_ns

LEAST = 2000  # runs, for one in a thousand of them to mean something


def timed(once: Callable[[], None], seconds: float, batch: int) -> float:
    """Run batches until the seconds have passed, after a fifth of them to warm up.

    With no seconds at all there is one run and no warming up. Returns nanoseconds per run.
    """
    if seconds:
        warm = perf_counter_ns() + seconds * 1e9 / 5
        while perf_counter_ns() < warm:
            once()
    done = 0
    begin = now = perf_counter_ns()
    while done == 0 or now - begin < seconds * 1e9:
        for _ in range(batch):
            once()
        done += batch
        now = perf_counter_ns()
    return (now - begin) / done


def quantiles(once: Callable[[], None], seconds: float, shares: list[float]) -> list[float]:
    """Time each run by itself, after a fifth of the seconds to warm up.

    Returns the nanoseconds that the given shares of them stayed within.
    """
    warm = perf_counter_ns() + seconds * 1e9 / 5
    while perf_counter_ns() < warm:
        once()
    taken: list[int] = []
    begin = before = perf_counter_ns()
    while before - begin < seconds * 1e9 or len(taken) < LEAST:
        once()
        after = perf_counter_ns()
        taken.append(after - before)
        before = after
    taken.sort()
    return [float(taken[min(int(len(taken) * share), len(taken) - 1)]) for share in shares]
