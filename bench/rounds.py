"""Alternating rounds, the ratios formed inside them, and the table that they end in.

Every round runs each contestant once, in an order that moves on by one from round to round. A
ratio is formed from the two figures of one round, so that what slows the machine for a while
slows both; what is reported is the median of those ratios.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median

Run = Callable[[], float]  # nanoseconds per item


class MissingPeerError(Exception):
    """A contestant cannot take part; the text says why and what to install."""


class FailedRunError(Exception):
    """A contestant started and did not come to a figure; the text says what happened."""


@dataclass(frozen=True)
class Target:
    """A limit on how many times slower `ours` is than `peer`, how many times faster, or how many ns more."""

    ours: str
    peer: str
    limit: float
    faster: bool = False
    more: bool = False

    def __str__(self) -> str:
        """Say the target in words."""
        if self.more:
            return f"{self.ours} at most {self.limit:g} ns more than {self.peer}"
        if self.faster:
            return f"{self.ours} at least {self.limit:g} times as fast as {self.peer}"
        return f"{self.ours} at most {self.limit:.2f} times {self.peer}"


@dataclass
class Measurement:
    """One line of contestants, their figures by round, and the targets set on them."""

    title: str
    base: str
    unit: str
    targets: list[Target]
    runs: dict[str, Run] = field(default_factory=dict)
    once: set[str] = field(default_factory=set)
    apart: set[str] = field(default_factory=set)
    notes: dict[str, str] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)
    figures: dict[str, dict[int, float]] = field(default_factory=dict)
    number: int = 0

    def enter(
        self, name: str, prepare: Callable[[], Run], *, once: bool = False, apart: bool = False
    ) -> None:
        """Let a contestant take part, or keep the reason why it cannot.

        With once it runs in the first round only; with apart it does a smaller job than the
        others, so that no ratio to them is formed.
        """
        self.figures[name] = {}
        try:
            self.runs[name] = prepare()
        except MissingPeerError as reason:
            self.absent[name] = str(reason)
        except FailedRunError as reason:
            self.broken[name] = str(reason)
        if once:
            self.once.add(name)
        if apart:
            self.apart.add(name)

    def play_round(self) -> None:
        """Run every contestant once; one that fails takes no further part."""
        names = list(self.runs)
        for place in range(len(names)):
            name = names[(place + self.number) % len(names)]
            if name in self.broken or (name in self.once and self.number > 0):
                continue
            try:
                self.figures[name][self.number] = self.runs[name]()
            except FailedRunError as reason:
                self.broken[name] = str(reason)
        self.number += 1

    def add_sum(self, name: str, parts: list[str]) -> None:
        """Enter a figure that is the sum of others of the same round."""
        self.figures[name] = {
            number: sum(self.figures[part][number] for part in parts)
            for number in range(self.number)
            if all(number in self.figures[part] for part in parts)
        }
        if not self.figures[name]:
            self.absent[name] = f"needs {' and '.join(parts)}"

    def ratios(self, over: str, under: str) -> list[float]:
        """Return the ratio of two contestants' times for every round that has both."""
        if {over, under} & self.apart:
            return []
        theirs = self.figures.get(under, {})
        return [
            time / theirs[number] for number, time in self.figures.get(over, {}).items() if number in theirs
        ]

    def differences(self, ours: str, peer: str) -> list[float]:
        """Return how much more time one contestant took than another in every round that has both."""
        theirs = self.figures.get(peer, {})
        return [
            time - theirs[number] for number, time in self.figures.get(ours, {}).items() if number in theirs
        ]

    def reached(self, target: Target) -> float | None:
        """Return what stands against the target's limit, or None where a figure is missing."""
        if target.more:
            differences = self.differences(target.ours, target.peer)
            return median(differences) if differences else None
        pair = (target.peer, target.ours) if target.faster else (target.ours, target.peer)
        found = self.ratios(*pair)
        return median(found) if found else None

    def verdict(self, target: Target) -> str:
        """Return met, missed or not measured."""
        value = self.reached(target)
        if value is None:
            return "not measured"
        met = value >= target.limit if target.faster else value <= target.limit
        return "met" if met else "missed"

    def lines(self) -> list[str]:
        """Return this measurement's part of the table."""
        out = [f"{self.title}", f"  {'':38}{self.unit:>14}{'x ' + self.base:>34}   rounds"]
        for name, by_round in self.figures.items():
            label = name + (f" ({self.notes[name]})" if name in self.notes else "")
            reason = self.broken.get(name) or self.absent.get(name)
            if reason:
                word = "FAILED" if name in self.broken else "missing"
                out.append(f"  {label:38}{word}: {reason}")
            if not by_round:
                continue
            found = self.ratios(name, self.base)
            ratio = f"{median(found):,.2f} [{min(found):,.2f}-{max(found):,.2f}]" if found else "-"
            time = f"{median(by_round.values()):,.0f}"
            out.append(f"  {label:38}{time:>14}{ratio:>34}   {len(by_round)}")
        for target in self.targets:
            value = self.reached(target)
            figure = "-" if value is None else f"{value:.2f}"
            out.append(f"  target: {target}: {figure}, {self.verdict(target)}")
        return out

    def record(self) -> dict[str, object]:
        """Return the figures as plain values for pytest-benchmark's JSON."""
        return {
            "title": self.title,
            "unit": self.unit,
            "base": self.base,
            "ns": {name: list(found.values()) for name, found in self.figures.items() if found},
            "ratio_to_base": {
                name: median(self.ratios(name, self.base))
                for name in self.figures
                if self.ratios(name, self.base)
            },
            "targets": {
                str(target): {"value": self.reached(target), "verdict": self.verdict(target)}
                for target in self.targets
            },
            "missing": self.absent,
            "failed": self.broken,
        }
