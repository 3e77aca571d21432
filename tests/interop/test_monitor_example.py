"""The example of a monitor: its server, its client, and a client that is there when the server ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from peers import PATIENCE, ROOT

PROGRAM = [sys.executable, str(ROOT / "examples" / "monitor.py")]
ENVIRONMENT = {**os.environ, "PYTHONWARNINGS": "error"}


@pytest.fixture
def monitor(tmp_path: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The address of the example, which runs in a process of its own, and that process."""
    address = f"unix:{tmp_path}/monitor"
    command = [*PROGRAM, f"--varlink={address}", "--pause=0.01"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == f"Listening on {address}\n"
        yield address, process
        process.terminate()
        assert process.wait(PATIENCE) == 0


def followed(address: str, count: int) -> list[str]:
    command = [*PROGRAM, "--client", f"--varlink={address}", f"--count={count}"]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=PATIENCE, check=True, env=ENVIRONMENT
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_a_client_follows_for_as_long_as_it_likes(monitor: tuple[str, subprocess.Popen[str]]) -> None:
    address, _ = monitor
    for count in (1, 4):
        lines = followed(address, count)
        numbers = [int(line.partition(":")[0]) for line in lines]
        assert len(numbers) == count
        assert numbers == sorted(set(numbers))
        assert all(line.endswith(" degrees") for line in lines)


def test_a_server_that_is_told_to_end_is_not_held_up(monitor: tuple[str, subprocess.Popen[str]]) -> None:
    address, process = monitor
    command = [*PROGRAM, "--client", f"--varlink={address}", "--count=1000000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as client:
        assert client.stdout is not None
        assert client.stdout.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
        client.stdout.read()
