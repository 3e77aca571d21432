"""Run a program in which 'import varlink' means fastvarlink."""

from __future__ import annotations

from collections.abc import Sequence

from fastvarlink.cli.execute import execute

EXAMPLES = ("varlink exec more.py --help", "varlink exec -m this")


def run_raw(words: Sequence[str]) -> None:
    """Run the program with all words behind exec."""
    execute(list(words))
