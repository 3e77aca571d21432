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
    """A limit on how many times slower `ours` is than `peer`, how many times faster, or how many ns more.

    A goal is stricter, and only reported.
    """

    ours: str
    peer: str
    limit: float
    faster: bool = False
    more: bool = False
    goal: float | None = None

    def __str__(self) -> str:
        """Say the target in words."""
        if self.more:
            return f"{self.ours} at most {self.limit:g} ns more than {self.peer}"
        if self.faster:
            return f"{self.ours} at least {self.limit:g} times as fast as {self.peer}"
        return f"{self.ours} at most {self.limit:.2f} times {self.peer}"


@dataclass(frozen=True)
class Point:
    """Where a measurement stands in a plot: at which number, and how that is written."""

    plot: str
    at: float
    label: str


@dataclass
class Measurement:
    """One line of contestants, their figures by round, and the targets set on them."""

    title: str
    base: str
    unit: str
    targets: list[Target]
    point: Point | None = None
    runs: dict[str, Run] = field(default_factory=dict)
    once: set[str] = field(default_factory=set)
    apart: set[str] = field(default_factory=set)
    notes: dict[str, str] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)
    unable: dict[str, str] = field(default_factory=dict)
    derived: dict[str, tuple[Callable[[list[float]], float], list[str]]] = field(default_factory=dict)
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
        for name, (how, parts) in self.derived.items():
            if all(self.number in self.figures[part] for part in parts):
                self.figures[name][self.number] = how([self.figures[part][self.number] for part in parts])
        self.number += 1

    def derive(self, name: str, how: Callable[[list[float]], float], parts: list[str]) -> None:
        """Enter a figure that is formed, in each round, from those of others that all have taken part."""
        self.figures[name] = {}
        self.derived[name] = (how, parts)

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

    def against(self, target: Target) -> list[float]:
        """Return what stands against the target's limit, for every round that has both."""
        if target.more:
            return self.differences(target.ours, target.peer)
        pair = (target.peer, target.ours) if target.faster else (target.ours, target.peer)
        return self.ratios(*pair)

    def reached(self, target: Target) -> float | None:
        """Return the median of what stands against the target's limit, None where a figure is missing."""
        found = self.against(target)
        return median(found) if found else None

    def verdict(self, target: Target, limit: float | None = None) -> str:
        """Return met, missed or not measured, for the target's own limit or another."""
        value = self.reached(target)
        if value is None:
            return "not measured"
        limit = target.limit if limit is None else limit
        met = value >= limit if target.faster else value <= limit
        return "met" if met else "missed"

    def spreads(self) -> dict[str, float]:
        """Return how far apart the fastest and the slowest round of each contestant are, over its median."""
        return {
            name: (max(found.values()) - min(found.values())) / median(found.values())
            for name, found in self.figures.items()
            if len(found) > 1
        }

    def label(self, name: str) -> str:
        """Return a contestant's name with what there is to note about it."""
        return name + (f" ({self.notes[name]})" if name in self.notes else "")

    def reasons(self) -> dict[str, str]:
        """Say of those that did not take part, or not to the end, why."""
        out = {name: f"missing: {reason}" for name, reason in self.absent.items()}
        out |= {name: f"FAILED: {reason}" for name, reason in self.broken.items()}
        out |= {name: f"n/a: {reason}" for name, reason in self.unable.items()}
        for name, (_, parts) in self.derived.items():
            if not self.figures[name]:
                out[name] = f"missing: needs {' and '.join(parts)}"
        return out

    def lines(self) -> list[str]:
        """Return this measurement's part of the table."""
        out = [f"{self.title}", f"  {'':38}{self.unit:>14}{'x ' + self.base:>34}   rounds"]
        for name, reason in self.reasons().items():
            out.append(f"  {self.label(name):38}{reason}")
        for name, by_round in self.figures.items():
            if not by_round:
                continue
            found = self.ratios(name, self.base)
            ratio = f"{median(found):,.2f} [{min(found):,.2f}-{max(found):,.2f}]" if found else "-"
            time = f"{median(by_round.values()):,.0f}"
            out.append(f"  {self.label(name):38}{time:>14}{ratio:>34}   {len(by_round)}")
        for target in self.targets:
            value = self.reached(target)
            figure = "-" if value is None else f"{value:.2f}"
            goal = "" if target.goal is None else f", goal {target.goal:g}"
            out.append(f"  target: {target}{goal}: {figure}, {self.verdict(target)}")
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
            "unable": self.unable,
        }
