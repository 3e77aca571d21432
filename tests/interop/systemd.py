"""A real systemd as a peer, unpacked into a folder.

FASTVARLINK_SYSTEMD_TREE is the folder that tools/systemd_peer.sh has made. Without it the tests that need it
are skipped, in CI too: whether its packages can be fetched is not up to the project.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from peers import PATIENCE

VarlinkCtl = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def systemd_tree() -> Path:
    path = os.environ.get("FASTVARLINK_SYSTEMD_TREE")
    if not path:
        pytest.skip("FASTVARLINK_SYSTEMD_TREE is not set; tools/systemd_peer.sh makes the folder it names.")
    tree = Path(path)
    if not (tree / "usr/bin/varlinkctl").exists():
        pytest.skip(f"FASTVARLINK_SYSTEMD_TREE names {tree}, where no systemd is.")
    if os.geteuid() != 0:
        pytest.skip("Only root may run what is in FASTVARLINK_SYSTEMD_TREE.")
    return tree


@pytest.fixture(scope="session")
def varlinkctl(systemd_tree: Path) -> VarlinkCtl:
    """Run varlinkctl with arguments, with the libraries of its tree and the sockets of this machine."""
    (loader,) = systemd_tree.glob("lib64/ld-linux*")
    libraries = [
        folder for lib in systemd_tree.glob("usr/lib/*-linux-gnu") for folder in (lib, lib / "systemd")
    ]
    path = ":".join(map(str, libraries))

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(loader), "--library-path", path, str(systemd_tree / "usr/bin/varlinkctl")]
        return subprocess.run(
            [*command, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    return run
