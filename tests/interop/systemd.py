"""A real systemd as a peer, unpacked into a folder.

FASTVARLINK_SYSTEMD_TREE is the folder that tools/systemd_peer.sh has made. Without it the tests that need it
are skipped, in CI too: whether its packages can be fetched is not up to the project.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from peers import PATIENCE, connect

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


def command(tree: Path, program: str) -> list[str]:
    """The words that run a program with the libraries of its tree and the files of this machine."""
    (loader,) = tree.glob("lib64/ld-linux*")
    libraries = [folder for lib in tree.glob("usr/lib/*-linux-gnu") for folder in (lib, lib / "systemd")]
    return [str(loader), "--library-path", ":".join(map(str, libraries)), str(tree / program)]


@pytest.fixture(scope="session")
def varlinkctl(systemd_tree: Path) -> VarlinkCtl:
    """Run varlinkctl with arguments, and with ``input`` as its standard input."""

    def run(*arguments: str, input: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*command(systemd_tree, "usr/bin/varlinkctl"), *arguments],
            input=input,
            capture_output=True,
            encoding="utf-8",
            timeout=PATIENCE,
            check=False,
        )

    return run


@contextlib.contextmanager
def running(words: list[str], address: str, **environment: str) -> Iterator[None]:
    """A service of the tree at an address of the kind unix:/path, while the block runs.

    It ends by itself when its last connection is closed, so one is kept open until the block is left.
    """
    place = address.removeprefix("unix:")
    process = subprocess.Popen(
        words, env={**os.environ, **environment, "SYSTEMD_VARLINK_LISTEN": place}, stdin=subprocess.DEVNULL
    )
    try:
        with _connected(process, address):
            yield
        assert process.wait(PATIENCE) == 0
    finally:
        process.kill()
        process.wait()


def _connected(process: subprocess.Popen[bytes], address: str) -> socket.socket:
    """Connect as soon as the service listens, which it does not announce."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return connect(address)
        except (FileNotFoundError, ConnectionRefusedError):
            assert process.poll() is None, "The service has ended."
            assert time.monotonic() < deadline, "The service does not listen."
            time.sleep(0.01)
