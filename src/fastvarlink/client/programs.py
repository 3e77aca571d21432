"""Programs that are started to answer, or to carry a connection to a service."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence

from fastvarlink import address as addresses
from fastvarlink import unixpath
from fastvarlink.marks import mark

# Run in the new process, which then becomes the service: the socket moves to where services look for it,
# and LISTEN_PID is told, which nobody knew before. A preexec_fn could do that too, but is not safe in a
# program that has threads.
_START = (
    "import os, sys\n"
    "fd, *argv = sys.argv[1:]\n"
    "fd = int(fd)\n"
    "os.dup2(fd, 3) if fd != 3 else None\n"
    "os.set_inheritable(3, True)\n"
    "os.environ['LISTEN_PID'] = str(os.getpid())\n"
    "os.execvp(argv[0], argv)\n"
)


class Bridge:
    """A command that carries a connection over its standard input and output, run for each one."""

    def __init__(self, argv: Sequence[str]) -> None:
        self.argv = list(argv)
        self.processes: list[subprocess.Popen[bytes]] = []

    def open(self, _timeout: float | None = None) -> socket.socket:
        """Start the command; its end of the connection is returned as a socket."""
        ours, theirs = socket.socketpair()
        try:
            self.processes.append(subprocess.Popen(self.argv, stdin=theirs.fileno(), stdout=theirs.fileno()))
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        mark(ours, "client")
        return ours

    def end(self) -> None:
        """End the commands that are still running."""
        for process in self.processes:
            end_process(process)
        self.processes.clear()


class Activation:
    """A service started as systemd would: with a listening socket for it to inherit."""

    def __init__(self, argv: Sequence[str]) -> None:
        self.directory = tempfile.TemporaryDirectory(prefix="varlink-")
        self.address = addresses.Unix(os.path.join(self.directory.name, "socket"))
        try:
            with socket.socket(socket.AF_UNIX) as listener:
                unixpath.bind(listener, self.address.path)
                listener.listen(100)
                self.process = self._start(argv, listener)
        except BaseException:
            self.directory.cleanup()
            raise

    def _start(self, argv: Sequence[str], listener: socket.socket) -> subprocess.Popen[bytes]:
        address = str(self.address)
        arguments = [argv[0], *(word.replace("$VARLINK_ADDRESS", address) for word in argv[1:])]
        environment = {
            **os.environ,
            "VARLINK_ADDRESS": address,
            "LISTEN_FDS": "1",
            "LISTEN_FDNAMES": "varlink",
        }
        return subprocess.Popen(
            [sys.executable, "-S", "-E", "-c", _START, str(listener.fileno()), *arguments],
            env=environment,
            pass_fds=[listener.fileno()],
        )

    def end(self) -> None:
        """End the service and remove its socket."""
        end_process(self.process)
        self.directory.cleanup()


def end_process(process: subprocess.Popen[bytes]) -> None:
    """Terminate a process that may have ended already, and wait for it."""
    with contextlib.suppress(OSError):
        process.terminate()
    process.wait()
