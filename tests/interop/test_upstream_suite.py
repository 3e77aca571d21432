"""The tests that ship inside python-varlink, run on fastvarlink."""

from __future__ import annotations

import subprocess
import sys

from peers import ROOT, Original


def test_upstream_suite_passes(original: Original) -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "upstream_suite.py"), original.folder],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 failed, 0 skipped" in done.stdout
