"""A service with several workers, as a program, and what its processes are asked and told."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from wire.eventually import eventually
from wire.rawstream import PATIENCE, RawStream, call

PROGRAM = Path(__file__).parent / "workers_program.py"
INTERFACE = "org.example.workers"
PID = call(f"{INTERFACE}.Pid")
TEXT = call(f"{INTERFACE}.Text")
STARTER = """\
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execv(sys.executable, [sys.executable, *sys.argv[2:]])
"""


class Program:
    """The program, with its lines of output and what it logs."""

    def __init__(self, place: Path, arguments: list[str], **options: Any) -> None:
        self._log = place / f"log{len(os.listdir(place))}"
        with self._log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                **options,
            )

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().removesuffix("\n")

    def ended(self) -> int:
        return self.process.wait(PATIENCE)

    @property
    def log(self) -> str:
        return self._log.read_text()

    def logged(self, text: str) -> None:
        eventually(lambda: text in self.log, f"the log says {text!r}")

    def children(self) -> set[int]:
        pid = self.process.pid
        return {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}

    def end(self) -> None:
        try:
            children = self.children()
        except OSError:
            children = set()
        self.process.kill()
        for child in children:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        self.process.communicate()


Start = Callable[..., Program]


def pid_of(stream: RawStream) -> int:
    stream.send(PID)
    pid: int = stream.read_reply()["parameters"]["pid"]
    return pid


def alive(pid: int) -> bool:
    """True for a process that has not ended; one that nobody waits for has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def stop(pid: int) -> None:
    """Have a process do nothing more."""
    os.kill(pid, signal.SIGSTOP)

    def stopped(task: Path) -> bool:
        return task.joinpath("stat").read_text().rpartition(")")[2].split()[0] == "T"

    # One thread takes the signal, and the others run on until that has told them.
    eventually(lambda: all(map(stopped, Path(f"/proc/{pid}/task").iterdir())), "it has stopped")


def burst(address: str, count: int) -> Counter[int]:
    """How many of so many connections each process serves."""
    streams = [RawStream.connect(address) for _ in range(count)]
    try:
        for stream in streams:
            stream.send(PID)
        return Counter(stream.read_reply()["parameters"]["pid"] for stream in streams)
    finally:
        for stream in streams:
            stream.close()


def hold(program: Program, stream: RawStream, gate: Path) -> None:
    stream.send(call(f"{INTERFACE}.Hold", {"gate": str(gate)}))
    assert program.line() == "held"


def passed(place: Path, endpoint: socket.socket, **options: Any) -> Program:
    """The program, with a socket that is passed as a service manager does it."""
    given = json.dumps([{"workers": 2, **options}, {}, None])
    return Program(
        place,
        ["-c", STARTER, str(endpoint.fileno()), str(PROGRAM), given],
        pass_fds=[endpoint.fileno()],
    )
