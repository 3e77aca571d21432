"""Rows of text: columns with headings on a terminal, separated by tabs for another program."""

from __future__ import annotations

from collections.abc import Sequence

from fastvarlink.cli.output import legible, on_terminal, show

__all__ = ["show_table"]


def show_table(headings: Sequence[str], rows: Sequence[Sequence[str]], summary: str) -> None:
    """Print the rows, and on a terminal the headings above and the summary below."""
    if not on_terminal():
        for row in rows:
            show("\t".join(map(legible, row)))
        return
    if rows:
        cells = [tuple(headings), *(tuple(map(legible, row)) for row in rows)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        for row in cells:
            show("  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())
        show("")
    show(summary)
