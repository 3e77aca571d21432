"""The report of a run: ratios first, then what they were formed from, in Markdown with pictures beside it."""

import os
from pathlib import Path
from statistics import median

from board import Board
from pace import GROUPS
from plots import PLOTS, can_draw, draw_all
from rounds import Measurement, Target

QUIET_LOAD = 0.3  # the load above which something else ran beside the measurements


def write_report(board: Board, command: str, folder: Path) -> Path:
    """Write benchmarks.md and pictures/bench-*.svg into the folder; return the first one's path."""
    pictures = folder / "pictures"
    pictures.mkdir(parents=True, exist_ok=True)
    drawn = draw_all(board.measurements, pictures) if can_draw() else {}
    lines = ["# Benchmarks", "", *introduction(board, command), "", "## Targets", "", *targets(board)]
    for name, measurements in board.groups.items():
        if not measurements:
            continue
        lines += ["", f"## {GROUPS[name].title}", "", f"Pace: {board.paces[name]}."]
        shown = {each.point.plot for each in measurements if each.point}
        for plot, place in drawn.items():
            if plot in shown:
                lines += ["", f"![{PLOTS[plot].title}]({place.relative_to(folder)})"]
        for measurement in measurements:
            lines += ["", f"### {measurement.title}", "", *table(measurement)]
    place = folder / "benchmarks.md"
    place.write_text("\n".join(lines) + "\n")
    return place


def introduction(board: Board, command: str) -> list[str]:
    """Say on what it was measured, when, how, and how much that can be trusted."""
    out = [
        "Written by the run itself. Ratios are formed inside a round and are medians of the rounds, with the"
        " least and the greatest beside them; 1 is the contestant whose ratio is 1.00, and more is slower."
        " Times are medians too, and mean little on other machines.",
        "",
        *(f"- {line}" for line in board.machine),
        f"- {board.began:%Y-%m-%d %H:%M} UTC, {board.seconds:.0f} seconds in all",
        f"- `{command}`",
        f"- {noise(board)}",
    ]
    if board.interrupted:
        out.append("- **the run was interrupted: not everything is here**")
    if not can_draw():
        out.append("- without pictures: matplotlib is not installed")
    return out


def noise(board: Board) -> str:
    """Say how much the rounds differ, and what else ran."""
    spreads = sorted(spread for each in board.measurements for spread in each.spreads().values())
    after = os.getloadavg()[0]
    words = f"load {board.load_before:.2f} before, and {after:.2f} after, with what the run itself makes"
    if board.load_before > QUIET_LOAD:
        words = f"**the machine was busy with other things when the run began**: {words}"
    if spreads:
        words += (
            f"; a contestant's slowest round took {median(spreads):.0%} of its median longer than its fastest"
            f" (the median of {len(spreads)}; the greatest {spreads[-1]:.0%})"
        )
    return words


def targets(board: Board) -> list[str]:
    """Return the table of what is demanded, and of what was found."""
    out = ["| | target | measured | rounds | |", "|---|---|---|---|---|"]
    for measurement in board.measurements:
        for target in measurement.targets:
            value = measurement.reached(target)
            figure, rounds = ("", "") if value is None else (f"{value:,.2f}", extent(measurement, target))
            verdict = measurement.verdict(target)
            if target.goal is not None and value is not None:
                verdict += f", goal {target.goal:g} {measurement.verdict(target, target.goal)}"
            out.append(f"| {measurement.title} | {target} | {figure} | {rounds} | {verdict} |")
    return out


def extent(measurement: Measurement, target: Target) -> str:
    """Return the least and the greatest of what the target's figure is the median of."""
    found = measurement.against(target)
    return f"{min(found):,.2f} to {max(found):,.2f}"


def table(measurement: Measurement) -> list[str]:
    """Return one measurement's table, and under it who did not take part, and why."""
    head = f"| | times {measurement.base} | rounds | {measurement.unit} | number of rounds |"
    out = [head, "|---|---|---|---|---|"]
    for name, figures in measurement.figures.items():
        if not figures:
            continue
        found = measurement.ratios(name, measurement.base)
        ratio = f"{median(found):,.2f}" if found else ""
        rounds = f"{min(found):,.2f} to {max(found):,.2f}" if found else ""
        time = f"{median(figures.values()):,.0f}"
        out.append(f"| {measurement.label(name)} | {ratio} | {rounds} | {time} | {len(figures)} |")
    reasons = measurement.reasons()
    return out + [""] * bool(reasons) + [f"- {name}: {reason}" for name, reason in reasons.items()]
