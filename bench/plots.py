"""Pictures of those measurements that differ in one number only: a line for each contestant.

Drawn by matplotlib, as SVG with its letters as outlines, so that a picture needs nothing beside itself.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from board import OURS, C
from rounds import Measurement

try:
    from matplotlib.figure import Figure
except ImportError:
    Figure = None


@dataclass(frozen=True)
class Plot:
    """What is drawn, and how nanoseconds become what its scale shows."""

    title: str
    across: str
    up: str
    scale: Callable[[float], float]


def microseconds(ns: float) -> float:
    """Return the microseconds that these nanoseconds are."""
    return ns / 1000


def per_second(ns: float) -> float:
    """Return how many take a second where one takes these nanoseconds."""
    return 1e9 / ns


CALL = "microseconds a call"
PLOTS = {
    "latency-server": Plot("Latency, server alone", "share of the calls", CALL, microseconds),
    "latency-pair": Plot("Latency, client and server", "share of the calls", CALL, microseconds),
    "connections": Plot("Throughput, server alone", "connections", "calls a second", per_second),
    "payloads": Plot("A text echoed", "its size", "microseconds an echo", microseconds),
}


def can_draw() -> bool:
    """Return whether matplotlib is there."""
    return Figure is not None


def draw_all(measurements: list[Measurement], folder: Path) -> dict[str, Path]:
    """Draw what has at least two points, and return the files by the plot's name."""
    drawn = {}
    for name, plot in PLOTS.items():
        points = [each for each in measurements if each.point and each.point.plot == name]
        if len(points) > 1:
            drawn[name] = folder / f"bench-{name}.svg"
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                draw(plot, points, drawn[name])
    return drawn


def draw(plot: Plot, measurements: list[Measurement], place: Path) -> None:
    """Draw one plot into a file."""
    figure: Any = Figure(figsize=(9, 4.5), layout="constrained", facecolor="white")
    axes = figure.subplots()
    lines: dict[str, list[tuple[float, float]]] = {}
    ticks: dict[float, str] = {}
    for measurement in measurements:
        assert measurement.point is not None
        ticks[measurement.point.at] = measurement.point.label
        for name, figures in measurement.figures.items():
            if figures and name not in measurement.apart:
                at = (measurement.point.at, plot.scale(median(figures.values())))
                lines.setdefault(name, []).append(at)
    for name, points in lines.items():
        ours, floor = name.startswith(OURS), name.startswith((C, "floor"))
        axes.plot(
            *zip(*points, strict=True),
            label=name,
            marker="o",
            markersize=4,
            linewidth=2.5 if ours else 1.3,
            linestyle="--" if floor else "-",
            color="black" if floor else None,
        )
    axes.set(xscale="log", yscale="log", title=plot.title, xlabel=plot.across, ylabel=plot.up)
    axes.set_xticks(list(ticks), list(ticks.values()))
    axes.minorticks_off()
    axes.grid(visible=True, alpha=0.3)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.10g}")
    figure.legend(loc="outside right upper", fontsize="small", frameon=False)
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    figure.savefig(place, format="svg", metadata=nothing)
    # Without the type of document, which names an address, and the spaces at the ends of lines.
    head, begin, picture = place.read_text().partition("<svg")
    kept = [line for line in head.splitlines() if line.startswith("<?xml")]
    text = "\n".join([*kept, begin + picture])
    place.write_text("\n".join(line.rstrip() for line in text.splitlines()) + "\n")
