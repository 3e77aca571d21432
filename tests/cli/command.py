"""The command, run as a user runs it: as a process, on pipes and on a terminal."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

PATIENCE = 60
COMMAND = (sys.executable, "-m", "fastvarlink")


def run(
    *words: str,
    given: bytes = b"",
    cwd: str | os.PathLike[str] | None = None,
    env: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """Run the command on pipes, to its end. It never shows a traceback."""
    done = subprocess.run(
        [*COMMAND, *words],
        input=given,
        capture_output=True,
        check=False,
        timeout=PATIENCE,
        cwd=cwd,
        env=None if env is None else {**os.environ, **env},
    )
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    return done


def printed(*words: str, given: bytes = b"", cwd: str | os.PathLike[str] | None = None) -> str:
    """What the command prints; it must succeed, and say nothing on stderr."""
    done = run(*words, given=given, cwd=cwd)
    assert (done.returncode, done.stderr.decode()) == (0, "")
    return done.stdout.decode()


def refused(*words: str, given: bytes = b"", cwd: str | os.PathLike[str] | None = None) -> tuple[int, str]:
    """The exit status and the sentence of a command that fails, and prints nothing else."""
    done = run(*words, given=given, cwd=cwd)
    assert done.returncode != 0
    assert done.stdout == b""
    return done.returncode, done.stderr.decode()


@dataclass
class Terminal:
    """A command on a terminal of its own: what it has shown, and a way to type."""

    process: subprocess.Popen[bytes]
    fd: int
    shown: bytes = b""

    def type(self, text: str) -> None:
        """Type, control characters included: ``\\x03`` is ctrl-C."""
        os.write(self.fd, text.encode())

    def read_until(self, text: str) -> str:
        """All that was shown, once the text is part of it."""
        self._read(lambda: text.encode() in self.shown)
        return self.shown.decode()

    def finish(self) -> tuple[int, str]:
        """The exit status and all that was shown, once the command has ended."""
        self._read(lambda: False)
        status = self.process.wait(PATIENCE)
        assert b"Traceback" not in self.shown, self.shown.decode()
        return status, self.shown.decode()

    def _read(self, enough: Callable[[], bool]) -> None:
        due = time.monotonic() + PATIENCE
        while not enough():
            readable, _, _ = select.select([self.fd], [], [], max(0, due - time.monotonic()))
            assert readable, f"Nothing more came after {self.shown.decode(errors='replace')!r}."
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                # What Linux says when nobody has the terminal open any more.
                return
            if not data:
                return
            self.shown += data
            if b"\x1b[6n" in data:
                # It is asked where its cursor is, as every terminal is that lines are edited on.
                os.write(self.fd, b"\x1b[1;1R")


@contextlib.contextmanager
def on_terminal(
    *words: str,
    env: Mapping[str, str] | None = None,
    cwd: str | os.PathLike[str] | None = None,
    command: Sequence[str] = COMMAND,
) -> Iterator[Terminal]:
    """The command, or another one, on a terminal, until the end of the block."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", **(env or {})}
    environment.pop("NO_COLOR", None) if env is None or "NO_COLOR" not in env else None
    try:
        process = subprocess.Popen(
            [*command, *words],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=environment,
            cwd=cwd,
            start_new_session=True,
            preexec_fn=_own_terminal,  # noqa: PLW1509  (tests of the command start no threads)
        )
    finally:
        os.close(theirs)
    try:
        yield Terminal(process, ours)
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def _own_terminal() -> None:
    # So that ctrl-C goes to it.
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def shown(*words: str, env: Mapping[str, str] | None = None) -> str:
    """What the command shows on a terminal; it must succeed."""
    with on_terminal(*words, env=env) as terminal:
        status, text = terminal.finish()
    assert status == 0, text
    return text
