"""Programs that a test starts, with their output at hand, ended when it is over."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

PATIENCE = 30.0

PROGRAM = str(Path(__file__).parent / "program.py")

# Runs the rest of its arguments with the descriptor that they begin with as descriptor 3, passed on to it as
# systemd does.
PASSING = """\
import os, sys
given, *argv = sys.argv[1:]
os.dup2(int(given), 3)
os.environ["LISTEN_PID"] = str(os.getpid())
os.execv(sys.executable, [sys.executable, *argv])
"""


def environment(**more: str) -> dict[str, str]:
    """The environment without what a manager may have put there."""
    unwanted = ("LISTEN_", "NOTIFY_", "WATCHDOG_", "SYSTEMD_")
    return {name: value for name, value in os.environ.items() if not name.startswith(unwanted)} | more


@contextmanager
def started(
    *arguments: str, env: Mapping[str, str] | None = None, pass_fds: tuple[int, ...] = ()
) -> Iterator[subprocess.Popen[bytes]]:
    """Start Python with the arguments and pipes for its three streams; kill it in the end."""
    process = subprocess.Popen(
        [sys.executable, *arguments],
        env=env or environment(),
        pass_fds=pass_fds,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        yield process
    finally:
        process.kill()
        for pipe in (process.stdin, process.stdout, process.stderr):
            cast("IO[bytes]", pipe).close()
        process.wait(PATIENCE)


def line(process: subprocess.Popen[bytes]) -> str:
    """The next line that the program prints; what it had to complain about, if there is none."""
    assert process.stdout is not None
    assert process.stderr is not None
    found = process.stdout.readline().decode()
    assert found, process.stderr.read().decode()
    return found.rstrip("\n")


def tell(process: subprocess.Popen[bytes], text: str) -> None:
    """Write a line to the program's standard input."""
    assert process.stdin is not None
    process.stdin.write(text.encode() + b"\n")
    process.stdin.flush()


def run(code: str, *arguments: str, **more: str) -> str:
    """What a program prints that has to end well."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=environment(**more),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
