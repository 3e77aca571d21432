"""A server and its clients, each a process of its own, and what the system says that the server holds."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from server.programs import environment, line, started, tell
from wire.eventually import eventually

TESTS = str(Path(__file__).parents[1])
KIB, MIB = 1 << 10, 1 << 20

# AddressSanitizer keeps what is freed for a while, to find who still uses it, and space around each block.
KEPT = 512 * MIB if "libasan" in os.environ.get("LD_PRELOAD", "") else 0

# So long the endurance tests go on, and at full size, when it is set.
SECONDS = float(os.environ.get("SOAK_SECONDS", "0"))


def shown(what: str) -> None:
    """A figure for whoever looks on, with ``pytest -s``."""
    print(f"\n    {what}", end="", flush=True)


class Remote:
    """A process that takes commands and answers each with a line of JSON."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process

    def tell(self, command: str) -> None:
        tell(self.process, command)

    def answer(self) -> Any:
        return json.loads(line(self.process))

    def ask(self, command: str) -> Any:
        self.tell(command)
        return self.answer()

    def pin(self, core: int) -> None:
        """Have all its threads, and those to come, run on one core."""
        for task in os.listdir(f"/proc/{self.process.pid}/task"):
            os.sched_setaffinity(int(task), {core})

    # ---- what the system says

    def resident(self) -> int:
        """Bytes of memory in use."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(status.partition("VmRSS:")[2].split()[0]) * KIB

    def descriptors(self) -> int:
        """Open descriptors."""
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def threads(self) -> int:
        """Threads."""
        return len(os.listdir(f"/proc/{self.process.pid}/task"))


class Site:
    """A server, and clients that are started as programs of this directory and end with it."""

    def __init__(self, server: Remote, path: str, running: ExitStack) -> None:
        self.server = server
        self.path = path
        self._running = running

    def client(self, program: str, *arguments: object) -> Remote:
        """Start endurance/PROGRAM.py with the path of the server's socket and the arguments."""
        return Remote(self._running.enter_context(_started(program, self.path, *arguments)))


def _started(program: str, *arguments: object) -> Any:
    path = os.pathsep.join(filter(None, [TESTS, os.environ.get("PYTHONPATH")]))
    words = [str(argument) for argument in arguments]
    return started("-m", f"endurance.{program}", *words, env=environment(PYTHONPATH=path))


@contextmanager
def served(directory: Path, **limits: object) -> Iterator[Site]:
    """Start endurance/program.py with limits; it ends by itself in the end, and has not complained then."""
    path, log = f"{directory}/socket", directory / "log"
    with ExitStack() as running:
        process = running.enter_context(_started("program", f"unix:{path}", log, json.dumps(limits)))
        assert line(process) == "listening"
        yield Site(Remote(process), path, running)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(30) == 0, log.read_text()
        complaints = log.read_text()
        assert "Traceback" not in complaints, complaints[-4000:]


def soon(predicate: Callable[[], object], what: str) -> None:
    """As eventually(), for a machine that thousands of connections keep busy."""
    eventually(predicate, what, 60)
