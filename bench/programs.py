"""Run a program to its end, or wait until a server is ready, and end it."""

import os
import select
import socket
import subprocess
from pathlib import Path

from rounds import FailedRunError

PATIENCE = 120  # seconds until a build, a start or a client counts as hung


def last_line(text: str) -> str:
    """Return the last line with something on it: where programs say what went wrong."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no message"


def command_output(command: list[str], **environment: str) -> str:
    """Run a command and return what it printed; raise FailedRunError with its last words."""
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
            env={**os.environ, **environment},
        )
    except subprocess.TimeoutExpired:
        raise FailedRunError(f"{Path(command[0]).name} was not done after {PATIENCE} s") from None
    if done.returncode:
        raise FailedRunError(f"{last_line(done.stderr)} (exit status {done.returncode})")
    return done.stdout


def end(process: subprocess.Popen[str]) -> None:
    """End a process that we started, by force where asking does not help."""
    process.terminate()
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout:
        process.stdout.close()


def wait_until_ready(process: subprocess.Popen[str], path: str) -> None:
    """Wait for the line that a server prints once it listens, then connect to make sure."""
    if process.stdout is None:
        raise FailedRunError("the server has no output to wait for")
    if not select.select([process.stdout], [], [], PATIENCE)[0]:
        raise FailedRunError(f"the server was not ready after {PATIENCE} s")
    if process.stdout.readline() != "ready\n":
        raise FailedRunError("the server ended before it was ready")
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(path)
        except OSError as error:
            raise FailedRunError(f"the server said it was ready but {path} gives {error}") from None
