"""A command that serves, run as a process: where it listens, what it says, its end."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from .command import COMMAND, PATIENCE

ANNOUNCED = "Listening on "


class Program:
    """A command that is running, and what it has said on stderr."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.said = ""
        self.addresses: list[str] = []

    def wait_for(self, text: str, times: int = 1) -> None:
        """Wait until it has said so, so many times."""
        assert self.process.stderr is not None
        due = time.monotonic() + PATIENCE
        while self.said.count(text) < times:
            readable, _, _ = select.select([self.process.stderr], [], [], max(0.0, due - time.monotonic()))
            data = os.read(self.process.stderr.fileno(), 65536) if readable else b""
            assert data, f"It has not said {text!r}, but {self.said!r}."
            self.said += data.decode()

    def wait_for_end(self) -> None:
        """Wait until nobody can say anything any more."""
        assert self.process.stderr is not None
        while select.select([self.process.stderr], [], [], PATIENCE)[0]:
            if not os.read(self.process.stderr.fileno(), 65536):
                return
        raise AssertionError("Somebody still has stderr.")

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Have it end: its status."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


@contextlib.contextmanager
def serving(
    *words: str,
    cwd: Path,
    listening: int = 1,
    env: Mapping[str, str] | None = None,
    stdin: int = subprocess.DEVNULL,
) -> Iterator[Program]:
    """The command, until the end of the block; from when it has said that it listens at so many addresses."""
    process = subprocess.Popen(
        [*COMMAND, *words], stdin=stdin, stderr=subprocess.PIPE, cwd=cwd, env={**os.environ, **(env or {})}
    )
    try:
        program = Program(process)
        if listening:
            program.wait_for(ANNOUNCED, listening)
            program.wait_for("\n", listening)
            lines = program.said.splitlines()
            program.addresses = [line[len(ANNOUNCED) :] for line in lines if line.startswith(ANNOUNCED)]
        yield program
        assert "Traceback" not in program.said
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
        process.wait()
        assert process.stderr is not None
        process.stderr.close()
