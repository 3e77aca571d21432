"""Services for the command to talk to."""

from __future__ import annotations

import select
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parent.parent.parent / "examples"
PATIENCE = 60


@pytest.fixture(scope="session")
def more(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running examples/more.py."""
    address = f"unix:{tmp_path_factory.mktemp('more')}/more"
    command = [sys.executable, str(EXAMPLES / "more.py"), f"--varlink={address}", "--pause=0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            readable, _, _ = select.select([process.stdout], [], [], PATIENCE)
            assert readable
            assert process.stdout.readline()
            yield address
        finally:
            process.kill()
