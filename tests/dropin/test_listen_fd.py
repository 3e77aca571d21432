"""get_listen_fd(): sockets passed by whoever started the process."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

import fastvarlink

# The process passes descriptors to itself: 3 and 4, as told by the words on its command line.
CODE = """\
import os, sys
kinds, pid, *settings = sys.argv[1:]
given = int(os.environ.pop("GIVEN"))
for number, kind in enumerate(kinds, 3):
    if kind == "s":
        os.dup2(given, number)
    elif kind == "f":
        os.dup2(os.open("/dev/null", os.O_RDONLY), number)
os.environ["LISTEN_PID"] = str(os.getpid()) if pid == "own" else pid
for setting in settings:
    name, _, value = setting.partition("=")
    os.environ[name] = value
if pid == "none":
    del os.environ["LISTEN_PID"]
import fastvarlink
print(fastvarlink.get_listen_fd())
"""


@pytest.fixture
def listening() -> Iterator[int]:
    """A listening socket with a high number, out of the way of those that are passed."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("")
        listener.listen()
        high = os.dup2(listener.fileno(), 50)
        yield high
        os.close(high)


@pytest.mark.parametrize(
    ("kinds", "pid", "settings", "expected"),
    [
        ("s", "own", ["LISTEN_FDS=1"], "3"),
        ("s", "own", ["LISTEN_FDS=1", "LISTEN_FDNAMES=varlink"], "3"),
        ("ss", "own", ["LISTEN_FDS=2", "LISTEN_FDNAMES=other:varlink"], "4"),
        ("ss", "own", ["LISTEN_FDS=2", "LISTEN_FDNAMES=varlink:other"], "3"),
        ("ss", "own", ["LISTEN_FDS=2", "LISTEN_FDNAMES=a:b"], "None"),
        ("ss", "own", ["LISTEN_FDS=2", "LISTEN_FDNAMES=varlink"], "None"),
        ("ss", "own", ["LISTEN_FDS=2"], "None"),
        ("s", "1", ["LISTEN_FDS=1"], "None"),
        ("s", "none", ["LISTEN_FDS=1"], "None"),
        ("s", "nonsense", ["LISTEN_FDS=1"], "None"),
        ("s", "own", [], "None"),
        ("s", "own", ["LISTEN_FDS=0"], "None"),
        ("s", "own", ["LISTEN_FDS=many"], "None"),
        ("f", "own", ["LISTEN_FDS=1"], "None"),
        ("sf", "own", ["LISTEN_FDS=2", "LISTEN_FDNAMES=other:varlink"], "None"),
    ],
)
def test_by_environment(listening: int, kinds: str, pid: str, settings: list[str], expected: str) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LISTEN_")}
    environment["GIVEN"] = str(listening)
    done = subprocess.run(
        [sys.executable, "-c", CODE, kinds, pid, *settings],
        env=environment,
        pass_fds=[listening],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout.strip(), done.returncode) == (expected, 0), done.stderr


def test_nothing_is_passed_to_this_process() -> None:
    assert fastvarlink.get_listen_fd() is None
