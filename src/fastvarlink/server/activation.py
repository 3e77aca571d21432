"""Sockets and addresses that come from whoever started the process (rules S2, S3)."""

from __future__ import annotations

import contextlib
import logging
import os
import stat
import threading
from dataclasses import dataclass
from socket import SO_ACCEPTCONN, SO_TYPE, SOCK_STREAM, SOL_SOCKET, socket

__all__ = ["PassedSocket", "environment_address", "get_listen_fd", "passed_sockets"]

logger = logging.getLogger("fastvarlink.server")

# systemd's convention: passed descriptors are numbered from here on.
FIRST_FD = 3

_VARIABLES = ("LISTEN_FDS", "LISTEN_PID", "LISTEN_PIDFDID", "LISTEN_FDNAMES")
_taking = threading.Lock()


@dataclass(frozen=True, slots=True)
class PassedSocket:
    """A stream socket that was passed to this process. ``name`` is empty if it was given none."""

    name: str
    socket: socket
    #: True for one that listens, False for the server's end of a connection.
    listening: bool


def get_listen_fd() -> int | None:
    """The descriptor of the socket passed to this process, None if there is none.

    Goes by LISTEN_FDS, LISTEN_PID, LISTEN_PIDFDID and, where several descriptors were passed, LISTEN_FDNAMES,
    which must call one of them ``varlink``. The number of another process means that none is meant for this
    one.
    """
    count = _count()
    if count == 1:
        fd = FIRST_FD
    else:
        names = os.environ.get("LISTEN_FDNAMES", "").split(":")
        if len(names) != count or "varlink" not in names:
            return None
        fd = FIRST_FD + names.index("varlink")
    return fd if _is_socket(fd) else None


def passed_sockets() -> list[PassedSocket]:
    """Take the sockets that were passed to this process for Varlink; each is handed out once.

    They are those that LISTEN_FDNAMES calls ``varlink``; all of them, if there are no names; and a single
    one, whatever it is called. What is no stream socket is logged and left open. No child inherits any of
    the passed descriptors, nor the variables, which are removed from the environment.
    """
    with _taking:
        count = _count()
        names = os.environ.get("LISTEN_FDNAMES", "")
        if count:
            for variable in _VARIABLES:
                os.environ.pop(variable, None)
    for fd in range(FIRST_FD, FIRST_FD + count):
        with contextlib.suppress(OSError):
            os.set_inheritable(fd, False)
    return [found for fd, name in _chosen(count, names) if (found := _passed(fd, name)) is not None]


def environment_address() -> str | None:
    """The address that SYSTEMD_VARLINK_LISTEN names, None if there is none.

    ``-`` stands for standard input and output, which are a connection then. A path is one of a unix socket.
    """
    named = os.environ.get("SYSTEMD_VARLINK_LISTEN")
    if not named:
        return None
    return named if named == "-" or named.startswith(("unix:", "tcp:", "vsock:")) else f"unix:{named}"


def _chosen(count: int, names: str) -> list[tuple[int, str]]:
    """The descriptors that are meant for Varlink, with their names."""
    if count == 1 or not names:
        return [(fd, names) for fd in range(FIRST_FD, FIRST_FD + count)]
    named = list(enumerate(names.split(":"), FIRST_FD))
    if len(named) != count:
        logger.error("%d descriptors were passed, and %d names for them: none is used.", count, len(named))
        return []
    return [(fd, name) for fd, name in named if name == "varlink"]


def _passed(fd: int, name: str) -> PassedSocket | None:
    if not _is_socket(fd):
        logger.error("The descriptor %d (%r), passed by LISTEN_FDS, is no socket: it is not used.", fd, name)
        return None
    passed = socket(fileno=fd)
    if passed.getsockopt(SOL_SOCKET, SO_TYPE) != SOCK_STREAM:
        passed.detach()
        logger.error(
            "The socket %d (%r), passed by LISTEN_FDS, is no stream socket: it is not used.", fd, name
        )
        return None
    return PassedSocket(name, passed, bool(passed.getsockopt(SOL_SOCKET, SO_ACCEPTCONN)))


def _is_socket(fd: int) -> bool:
    try:
        return stat.S_ISSOCK(os.fstat(fd).st_mode)
    except OSError:
        return False


def _count() -> int:
    """How many descriptors were passed, and to this process."""
    try:
        count = int(os.environ["LISTEN_FDS"])
        pid = int(os.environ["LISTEN_PID"])
        pidfd = int(os.environ.get("LISTEN_PIDFDID", "0"))
    except (KeyError, ValueError):
        return 0
    if pid != os.getpid() or count < 1:
        return 0
    # A process that has got the number of the one that was meant has another pidfd.
    return 0 if pidfd and pidfd != (_own_pidfd() or pidfd) else count


def _own_pidfd() -> int | None:
    """The inode number of this process's pidfd, None on a kernel that has none for each process."""
    opened: list[int] = []
    try:
        opened.append(os.pidfd_open(os.getpid()))
        opened.append(os.eventfd(0, os.EFD_CLOEXEC))
        own, anonymous = map(os.fstat, opened)
    except OSError:
        return None
    finally:
        for fd in opened:
            os.close(fd)
    # Before there was a file system for them, all pidfds had the inode that eventfds have too.
    return None if own.st_dev == anonymous.st_dev else own.st_ino
