"""Programs that are started to answer, or to carry a connection to a service."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import weakref
from collections.abc import Mapping, Sequence

from fastvarlink import address as addresses
from fastvarlink import unixpath
from fastvarlink.client.ways import SocketWay, Way
from fastvarlink.marks import mark

__all__ = ["Activation", "Bridge", "PassedConnection", "ProgramSocket"]

# Run in the new process, which then becomes the service: the socket moves to where services look for it, and
# LISTEN_PID is told, which nobody knew before. What the program prints must not get among the output of this
# one. A preexec_fn could do all that too, but is not safe in a program that has threads.
_PASS = 'exec 3<&0 </dev/null >&2 && export LISTEN_PID=$$ && exec "$@"'

# They are for this process, or are told anew.
_OTHERS = {"LISTEN_PID", "LISTEN_PIDFDID", "SYSTEMD_VARLINK_LISTEN"}

# Seconds. What a program may take to end when its connection is closed, and when it is told to end.
_TO_NOTICE = 1.0
_TO_OBEY = 5.0
# What it may take from closing its connection to being gone, if it ends at all.
_TO_LEAVE = 0.1


class ProgramSocket(socket.socket):
    """A connection that a program has been started for, and which knows what became of it."""

    program = ""
    process: subprocess.Popen[bytes] | None = None

    def why_ended(self) -> str | None:
        """How the program ended, in a sentence; None if it has not."""
        if self.process is None:
            return None
        try:
            status = self.process.wait(_TO_LEAVE)
        except subprocess.TimeoutExpired:
            return None
        if status < 0:
            with contextlib.suppress(ValueError):
                return f"The program '{self.program}' was ended by {signal.Signals(-status).name}."
        return f"The program '{self.program}' has ended with exit status {status}."


class Bridge(Way):
    """A command that carries a connection over its standard input and output, run for each one."""

    def __init__(self, argv: Sequence[str], name: str | None = None) -> None:
        self.argv = list(argv)
        self._name = " ".join(argv) if name is None else name
        # Without holding the connections: one that is forgotten is closed, which ends its program.
        self._running: list[tuple[subprocess.Popen[bytes], weakref.ref[ProgramSocket]]] = []

    def __str__(self) -> str:
        return self._name

    def open(self, timeout: float | None = None) -> ProgramSocket:
        """Start the command; its end of the connection is returned as a socket."""
        near, theirs = socket.socketpair()
        ours = ProgramSocket(fileno=near.detach())
        try:
            ours.program = self.argv[0]
            self._reap()
            ours.process = self._start(theirs)
            self._running.append((ours.process, weakref.ref(ours)))
            self.pid = ours.process.pid
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        mark(ours, "client")
        return ours

    def _start(self, connection: socket.socket) -> subprocess.Popen[bytes]:
        return subprocess.Popen(self.argv, stdin=connection.fileno(), stdout=connection.fileno())

    def _reap(self) -> None:
        """Forget the commands that have ended, which takes them out of the system's table."""
        for each in self._running[:]:
            if each[0].poll() is not None:
                # Another thread may have been faster.
                with contextlib.suppress(ValueError):
                    self._running.remove(each)

    def end(self) -> None:
        """End the commands that are still running."""
        due = time.monotonic() + _TO_NOTICE
        for process, reference in self._running[:]:
            connection = reference()
            # A closed connection is what tells a command to end, and it may have something left to do.
            is_closed = connection is None or connection.fileno() == -1
            end_process(process, max(due - time.monotonic(), 0) if is_closed else 0)
        self._reap()


class PassedConnection(Bridge):
    """A program that is passed its connection as services are passed sockets, run for each one."""

    def _start(self, connection: socket.socket) -> subprocess.Popen[bytes]:
        return _start_with(connection, self.argv, {})


class Activation(SocketWay):
    """A service started as systemd would: with a listening socket for it to inherit."""

    def __init__(self, argv: Sequence[str]) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="varlink-")
        self.folder = self._directory.name
        path = os.path.join(self._directory.name, "socket")
        super().__init__(addresses.Unix(path))
        self._program = argv[0]
        address = str(self.address)
        arguments = [argv[0], *(word.replace("$VARLINK_ADDRESS", address) for word in argv[1:])]
        try:
            with socket.socket(socket.AF_UNIX) as listener:
                unixpath.bind(listener, path)
                listener.listen(100)
                self._process = _start_with(listener, arguments, {"VARLINK_ADDRESS": address})
        except BaseException:
            self._directory.cleanup()
            raise
        self.pid = self._process.pid

    def open(self, timeout: float | None = None) -> ProgramSocket:
        """Connect to the service."""
        connection = ProgramSocket(fileno=super().open(timeout).detach())
        connection.program, connection.process = self._program, self._process
        return connection

    def end(self) -> None:
        """End the service and remove its socket."""
        end_process(self._process)
        self._directory.cleanup()
        self.pid, self.folder = 0, None


def _start_with(
    passed: socket.socket, argv: Sequence[str], variables: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    """Start a program that finds the socket where services look for those that are passed to them."""
    if shutil.which(argv[0]) is None:
        # The shell would say so on stderr, and nobody here would know.
        kind = PermissionError if os.path.exists(argv[0]) else FileNotFoundError
        code = errno.EACCES if kind is PermissionError else errno.ENOENT
        raise kind(code, os.strerror(code), argv[0])
    environment = {name: value for name, value in os.environ.items() if name not in _OTHERS}
    environment |= {**variables, "LISTEN_FDS": "1", "LISTEN_FDNAMES": "varlink"}
    return subprocess.Popen(["/bin/sh", "-c", _PASS, "sh", *argv], stdin=passed.fileno(), env=environment)


def end_process(process: subprocess.Popen[bytes], patience: float = 0) -> None:
    """Wait so many seconds for the end of a process, then make it end. It may have ended already."""
    for seconds, insist in ((patience, process.terminate), (_TO_OBEY, process.kill)):
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
            return
        with contextlib.suppress(OSError):
            insist()
    process.wait()
