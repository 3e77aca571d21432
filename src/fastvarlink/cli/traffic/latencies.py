"""How long calls took: percentiles and a histogram, in bounded memory."""

from __future__ import annotations

from array import array
from collections.abc import Iterable

__all__ = ["Latencies", "bars", "span_text"]

# Spans that are kept as they are, 8 MB of them. Beyond, and in floods, only the histogram is.
MOST_EXACT = 1_000_000
# Each doubling of a span has 64 buckets, so the middle of a bucket is within 0.8 % of what is in it.
_BITS = 6
# A column of what is shown is a quarter of a doubling.
_COLUMN = _BITS - 2

_BLOCKS = "▁▂▃▄▅▆▇█"
_ASCII = ".:-=+*#@"


class Latencies:
    """Spans in nanoseconds. With ``exact`` each is kept, up to MOST_EXACT; else they are only counted.

    One thread adds; others may look meanwhile.
    """

    def __init__(self, exact: bool) -> None:
        self.count = 0
        self.least = 0
        self.most = 0
        self._total = 0
        self._samples: array[int] | None = array("Q") if exact else None
        self._buckets: dict[int, int] = {}

    @property
    def exact(self) -> bool:
        """Whether percentiles are those of the spans themselves."""
        return self._samples is not None

    @property
    def mean(self) -> float:
        return self._total / self.count if self.count else 0.0

    def add(self, span: int) -> None:
        """Take a span."""
        if self.count == 0 or span < self.least:
            self.least = span
        self.most = max(self.most, span)
        self.count += 1
        self._total += span
        shift = max(0, span.bit_length() - _BITS - 1)
        bucket = (shift << _BITS) + (span >> shift)
        self._buckets[bucket] = self._buckets.get(bucket, 0) + 1
        if self._samples is not None:
            if len(self._samples) < MOST_EXACT:
                self._samples.append(span)
            else:
                self._samples = None

    @classmethod
    def together(cls, parts: Iterable[Latencies]) -> Latencies:
        """The spans of all of them, counted."""
        whole = cls(False)
        for part in parts:
            if not part.count:
                continue
            whole.least = min(whole.least, part.least) if whole.count else part.least
            whole.most = max(whole.most, part.most)
            whole.count += part.count
            whole._total += part._total
            # A copy at one stroke, as another thread may be adding.
            for bucket, count in part._buckets.copy().items():
                whole._buckets[bucket] = whole._buckets.get(bucket, 0) + count
        return whole

    def percentiles(self, wanted: Iterable[float]) -> list[float]:
        """For each of ``wanted``, percent with a tenth at most: the span that so many are not above."""
        if self._samples is not None:
            ordered = sorted(self._samples)
            return [float(ordered[_rank(percent, len(ordered))]) if ordered else 0.0 for percent in wanted]
        buckets = sorted(self._buckets.copy().items())
        total = sum(count for _, count in buckets)
        return [self._counted(buckets, _rank(percent, total)) if total else 0.0 for percent in wanted]

    def _counted(self, buckets: list[tuple[int, int]], rank: int) -> float:
        bucket = 0
        for bucket, count in buckets:  # noqa: B007  (the last one, if it comes to that)
            if rank < count:
                break
            rank -= count
        shift = max(0, (bucket >> _BITS) - 1)
        lowest = (bucket - (shift << _BITS)) << shift
        return min(max(lowest + ((1 << shift) - 1) / 2, self.least), self.most)

    def columns(self, most: int) -> list[int]:
        """The histogram from the least to the greatest span, in ``most`` columns of equal ratio at most."""
        counts = self._buckets.copy()
        if not counts:
            return []
        first, last = min(counts), max(counts)
        step = 1 << _COLUMN
        while last // step - first // step >= most:
            step *= 2
        columns = [0] * (last // step - first // step + 1)
        for bucket, count in counts.items():
            columns[bucket // step - first // step] += count
        return columns


def _rank(percent: float, count: int) -> int:
    # In whole thousandths: 99.9 is no float.
    return min(count - 1, max(0, -(-count * round(percent * 10) // 1000) - 1))


def bars(columns: Iterable[int], encoding: str) -> str:
    """Columns as a line of characters, as high as the encoding can show them. None is blank."""
    signs = _BLOCKS if encoding.lower().replace("-", "") == "utf8" else _ASCII
    heights = list(columns)
    top = max(heights, default=0)
    return "".join(signs[(height * len(signs) - 1) // top] if height else " " for height in heights)


def span_text(span: float) -> str:
    """A span for people: microseconds, milliseconds or seconds with three digits."""
    for size, unit in ((1e9, "s"), (1e6, "ms"), (1e3, "us")):
        if span >= size or unit == "us":
            value = span / size
            digits = 2 if value < 10 else 1 if value < 100 else 0
            return f"{value:.{digits}f} {unit}"
    return ""
