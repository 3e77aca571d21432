"""Figures of counted instructions: read out of valgrind's profiles, kept in a file, compared, and excused.

bench/count.py makes them. A figure is the number of instructions that one call takes in user space. It holds
for one Python, one machine architecture and one compiler of the core, which together are its *build*.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

LIMIT = 0.05  # how much a figure may grow, or shrink, until somebody has to say so

Figures = dict[str, int]


class BadProfileError(Exception):
    """A profile is not there or not whole; the text says which."""


@dataclass(frozen=True)
class Row:
    """One workload: its figure, and the one that it is held to, which may be missing."""

    workload: str
    now: int
    committed: int | None
    excused: int | None  # what the changelog says that it may take

    @property
    def change(self) -> float | None:
        """How much more it takes than the committed figure, as a fraction."""
        return None if self.committed is None else self.now / self.committed - 1

    @property
    def verdict(self) -> str:
        """What is to be said of it; the empty string where there is nothing."""
        if self.committed is None:
            return "no figure to compare with"
        if self.now > max(self.committed, self.excused or 0) * (1 + LIMIT):
            return "GREW"
        if self.now > self.committed * (1 + LIMIT):
            return "grew, as CHANGELOG.md says"
        if self.now < self.committed * (1 - LIMIT):
            return "shrank: run make bench-count UPDATE=1"
        return ""


def read_profiles(profiles: Iterable[str]) -> Figures:
    """Return what was counted up to each mark of callgrind's profiles, by the mark's name."""
    counts = {}
    for text in profiles:
        name = re.search(r"^desc: Trigger: Client Request: (.+)$", text, re.MULTILINE)
        total = re.search(r"^totals: (\d+)$", text, re.MULTILINE)
        if name and total:
            counts[name[1]] = int(total[1])
    return counts


def per_call(counts: Figures, workload: str, calls: int) -> int:
    """Return the instructions of one call, when the long run had so many calls more than the short one."""
    try:
        return round((counts[f"{workload} long"] - counts[f"{workload} short"]) / calls)
    except KeyError as missing:
        raise BadProfileError(f'valgrind has written no profile "{missing.args[0]}"') from None


def read_excuses(changelog: str) -> Figures:
    """Return how much a changelog's newest section lets workloads take, by their names.

    Such an entry is "- Instructions: unary server 10,200, stream client 5,100: why."
    """
    newest = re.split(r"^## .*$", changelog, flags=re.MULTILINE)[1:2]
    excuses = {}
    for entry in re.split(r"^- ", "".join(newest), flags=re.MULTILINE):
        head, _, text = " ".join(entry.split()).partition(": ")
        if head == "Instructions":
            names = text.partition(": ")[0]
            for name, figure in re.findall(r"([a-z]+ [a-z]+) (\d+(?:,\d{3})*)", names):
                excuses[name] = int(figure.replace(",", ""))
    return excuses


def compare(measured: Figures, committed: Figures | None, excuses: Figures) -> list[Row]:
    """Return a row for each figure that was measured."""
    known = committed or {}
    return [Row(name, now, known.get(name), excuses.get(name)) for name, now in measured.items()]


def table(rows: Iterable[Row]) -> Iterator[str]:
    """Yield the lines that show them."""
    yield f"{'instructions per call':24}{'committed':>12}{'now':>12}{'change':>10}"
    for row in rows:
        committed = "-" if row.committed is None else f"{row.committed:,}"
        change = "-" if row.change is None else f"{row.change:+.1%}"
        yield f"{row.workload:24}{committed:>12}{row.now:>12,}{change:>10}  {row.verdict}".rstrip()


def load(path: Path) -> dict[str, dict[str, object]]:
    """Return the file's content: by build, its "figures" and the versions that they were counted "with"."""
    try:
        content: dict[str, dict[str, object]] = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    return content


def save(path: Path, content: dict[str, dict[str, object]]) -> None:
    """Write the file, builds in order."""
    path.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", "utf-8")
