"""Ways to a service: connecting to an address, or starting a program that answers."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence

from fastvarlink import address as addresses
from fastvarlink import unixpath
from fastvarlink.error import DeadlineExceeded
from fastvarlink.marks import mark

PAUSE = 0.01  # seconds between two attempts


def connect(address: addresses.Address, timeout: float | None = None) -> socket.socket:
    """A connected, blocking socket. OSError if nobody answers there.

    DeadlineExceeded if that takes longer than ``timeout`` seconds, without those for looking up a name.
    """
    due = None if timeout is None else time.monotonic() + timeout
    try:
        return (
            _connect_tcp(address, due) if isinstance(address, addresses.TCP) else _connect_unix(address, due)
        )
    except TimeoutError as failure:
        if timeout is None:
            raise
        raise DeadlineExceeded(
            f"No connection to {address} was made within {round(timeout, 3):g} seconds.", None, timeout
        ) from failure


def _connect_tcp(address: addresses.TCP, due: float | None) -> socket.socket:
    failure: OSError | None = None
    hosts = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    for family, kind, protocol, _, place in hosts:
        connection = socket.socket(family, kind, protocol)
        try:
            connection.settimeout(_left(due))
            connection.connect(place)
            connection.settimeout(None)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return connection
        except OSError as error:
            connection.close()
            failure = error
        except BaseException:
            connection.close()
            raise
    try:
        raise failure or OSError(f"{address.host} has no address.")
    finally:
        # Its traceback leads here.
        failure = None


def _connect_unix(address: addresses.Unix, due: float | None) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.setblocking(due is None)
        while not _connected(connection, address.sockaddr):
            # A service that has too many connections to accept. Nothing tells when there is room again.
            time.sleep(min(PAUSE, _left(due) or PAUSE))
        connection.setblocking(True)
    except BaseException:
        connection.close()
        raise
    mark(connection, "client")
    return connection


def _connected(connection: socket.socket, sockaddr: str) -> bool:
    try:
        unixpath.connect(connection, sockaddr)
    except BlockingIOError:
        return False
    return True


def _left(due: float | None) -> float | None:
    """The seconds until then, TimeoutError if there are none."""
    if due is None:
        return None
    left = due - time.monotonic()
    if left <= 0:
        raise TimeoutError("The time is over.")
    return left


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
