"""The example of a service that calls its clients: its server, both of its clients, and one that gives up."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from peers import PATIENCE, ROOT

PROGRAM = [sys.executable, str(ROOT / "examples" / "callbacks.py")]
ENVIRONMENT = {**os.environ, "PYTHONWARNINGS": "error"}
TOLD = [" 20 %", " 40 %", " 60 %", " 80 %", "100 %", "It took 5 steps."]


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[str]:
    """The address of the example, which runs in a process of its own."""
    address = f"unix:{tmp_path}/jobs"
    command = [*PROGRAM, f"--varlink={address}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == f"Listening on {address}\n"
        yield address
        process.terminate()
        assert process.wait(PATIENCE) == 0


def told(address: str, *how: str) -> list[str]:
    command = [*PROGRAM, "--client", *how, f"--varlink={address}"]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=PATIENCE, check=True, env=ENVIRONMENT
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


@pytest.mark.parametrize("how", [[], ["--asyncio"]], ids=["blocking", "asyncio"])
def test_a_client_is_told_of_its_job(jobs: str, how: list[str]) -> None:
    assert told(jobs, *how) == TOLD


def test_a_client_that_is_killed_leaves_the_others_alone(jobs: str) -> None:
    command = [*PROGRAM, "--client", f"--varlink={jobs}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT) as client:
        assert client.stdout is not None
        assert client.stdout.readline() == TOLD[0] + "\n"
        client.send_signal(signal.SIGKILL)
        client.wait(PATIENCE)
    assert told(jobs) == TOLD
