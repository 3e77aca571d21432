"""The other implementations that certify ours, and that ours certifies.

python-varlink is looked for in the interpreter that FASTVARLINK_VARLINK_PYTHON names, in the
virtual environment .cache/varlink, and beside the tests themselves; Go's varlink-go-certification
in FASTVARLINK_GO_CERTIFICATION and on PATH. What is not there is skipped; with CI=true it fails.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60.0
# Prints where the original is installed, and fails where fastvarlink stands in for it.
PROBE = (
    "import sys, varlink.tests.test_certification as t, varlink; "
    "assert 'fastvarlink' not in sys.modules; "
    "import os; print(os.path.dirname(os.path.dirname(varlink.__file__)))"
)


def unavailable(reason: str) -> NoReturn:
    """Skip, except in CI, where everything is meant to be there."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason} In CI no pairing may be skipped.")
    pytest.skip(reason)


@dataclass(frozen=True)
class Original:
    """An interpreter that has python-varlink, and the folder where it lies."""

    python: str
    folder: str


@pytest.fixture(scope="session")
def original() -> Original:
    candidates = [
        os.environ.get("FASTVARLINK_VARLINK_PYTHON", ""),
        str(ROOT / ".cache" / "varlink" / "bin" / "python"),
        sys.executable,
    ]
    for python in filter(os.path.exists, candidates):
        found = subprocess.run([python, "-c", PROBE], capture_output=True, text=True, check=False)
        if found.returncode == 0:
            return Original(python, found.stdout.strip())
    unavailable("No interpreter has python-varlink; set FASTVARLINK_VARLINK_PYTHON.")


@pytest.fixture(scope="session")
def go_certification() -> str:
    path = os.environ.get("FASTVARLINK_GO_CERTIFICATION") or shutil.which("varlink-go-certification")
    if not path:
        unavailable("varlink-go-certification is not installed; on Debian it is in varlink-go.")
    return path


@dataclass(frozen=True)
class Peer:
    """One implementation's certification program.

    announces: it prints a line when it listens. passed: what a client prints when it is content,
    as not every one says so by its exit status.
    """

    command: Sequence[str]
    announces: bool
    passed: str


OURS = Peer([sys.executable, str(ROOT / "examples" / "certification.py")], True, "Certification passed")


def find_peer(request: pytest.FixtureRequest, name: str) -> Peer:
    """The implementation of that name: ours, python or go. Skips where it is not installed."""
    if name == "ours":
        return OURS
    if name == "python":
        found: Original = request.getfixturevalue("original")
        command = [found.python, "-u", "-m", "varlink.tests.test_certification"]
        return Peer(command, True, "Certification passed")
    return Peer([request.getfixturevalue("go_certification")], False, "End: 'true'")


@pytest.fixture(params=["unix", "tcp"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "unix":
        return f"unix:{tmp_path}/certification"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"tcp:127.0.0.1:{probe.getsockname()[1]}"


class Serving:
    """A peer that serves an address while the block runs."""

    def __init__(self, peer: Peer, address: str) -> None:
        self._peer = peer
        self._address = address

    def __enter__(self) -> Serving:
        self._process = subprocess.Popen(
            [*self._peer.command, f"--varlink={self._address}"], stdout=subprocess.PIPE
        )
        try:
            if self._peer.announces:
                self._await_line()
            else:
                self._await_connection()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            pytest.fail(f"{self._peer.command} did not end when it was interrupted.")
        finally:
            assert self._process.stdout is not None
            self._process.stdout.close()

    def _await_line(self) -> None:
        assert self._process.stdout is not None
        readable, _, _ = select.select([self._process.stdout], [], [], PATIENCE)
        assert readable and self._process.stdout.readline().startswith(b"Listening on")  # noqa: PT018

    def _await_connection(self) -> None:
        """Try until it works: a server that announces nothing leaves no event to wait for."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                connect(self._address).close()
                return
            except OSError:
                assert self._process.poll() is None, "The server has ended."
                assert time.monotonic() < deadline, "The server does not listen."
                time.sleep(0.01)


def connect(address: str) -> socket.socket:
    kind, _, place = address.partition(":")
    if kind == "unix":
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(place)
        except OSError:
            connection.close()
            raise
        return connection
    host, _, port = place.rpartition(":")
    return socket.create_connection((host, int(port)))


@pytest.fixture
def serving(request: pytest.FixtureRequest, server: str, address: str) -> Iterator[str]:
    """The address of a running server of the implementation that the test's parameter names."""
    with Serving(find_peer(request, server), address):
        yield address
