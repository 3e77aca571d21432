"""What the fuzz targets have in common: their arguments."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import atheris


def fuzz(target: Callable[[bytes], None]) -> None:
    """Run a target with libFuzzer's arguments from the command line; does not return."""
    arguments = sys.argv[1:]
    with tempfile.TemporaryDirectory() as found:
        if any(Path(each).is_dir() for each in arguments):
            # The fuzzer writes to the first folder, and those that are given stay as they are.
            arguments.insert(0, found)
        atheris.Setup([sys.argv[0], *arguments], target)
        atheris.Fuzz()
