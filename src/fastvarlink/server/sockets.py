"""The files of listening unix sockets: who may have a path, with which mode, and who removes it (rule S4).

What is at a path is looked at and replaced under a lock on its directory, and so is the step to listening:
of two programs that start at once one gets the path. The lock is flock() on the directory itself, which
leaves nothing behind. Where it cannot be had, things are done without it.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import socket
import stat
import time
import weakref
from collections.abc import Iterator
from typing import Any

from fastvarlink import unixpath
from fastvarlink.error import AddressError
from fastvarlink.marks import mark, mark_file

__all__ = ["SocketFile", "bind", "listen", "parse_mode"]

# Seconds to wait for the lock. Here it is held for an instant; others may lock a directory for good, so
# that it is not tidied up.
PATIENCE = 1.0


def parse_mode(text: str, address: str) -> int:
    """The file mode that an address asks for, in octal. AddressError if it is none."""
    if not re.fullmatch(r"(0o)?0*[0-7]{1,3}", text):
        raise AddressError(
            f"Invalid address '{address}': the mode '{text}' must be an octal number up to 0777, as in "
            f"';mode=0660'."
        )
    return int(text, 8)


class SocketFile:
    """The file of a bound socket, which is removed at the latest when the program ends.

    Only the process that made it removes it, and only while it is still the one at its path.
    """

    def __init__(self, endpoint: socket.socket, path: str) -> None:
        # The directory may have been changed by the time it is removed.
        self.path = os.path.join(os.getcwd(), path)
        self.identity = _identity(self.path)
        # The socket, as long as it is open, keeps the number of its file from being given to another.
        self._removal = weakref.finalize(self, _remove, os.getpid(), self.path, self.identity, endpoint)

    @property
    def replaced(self) -> bool:
        """True if another file has taken its place."""
        return _identity(self.path) not in (self.identity, None)

    def remove(self) -> None:
        """Remove the file, if it is still there and this process has made it."""
        self._removal()

    def keep(self) -> None:
        """Leave the file where it is, also at the end of the program."""
        self._removal.detach()

    def widen(self, mode: int) -> None:
        """Give the file those bits of a mode that the umask has taken away."""
        fd = os.open(self.path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            found = os.fstat(fd)
            if stat.S_IMODE(found.st_mode) != mode and (found.st_dev, found.st_ino) == self.identity:
                # By its descriptor: the path may lead elsewhere by now.
                os.chmod(f"/proc/self/fd/{fd}", mode)
        finally:
            os.close(fd)


def bind(endpoint: socket.socket, path: str, mode: int | None = None) -> SocketFile:
    """Bind a socket to a path, in the place of a socket file that nobody listens at any more.

    ``mode`` is the file's mode from its first moment on; by default it is what the umask allows. OSError
    with EADDRINUSE if a service is listening there, or something is there that is no socket.
    """
    with _locked(path):
        _clear_way(path)
        if mode is not None:
            # The file gets the mode of the socket, less the umask. So it never has bits it should not have.
            os.fchmod(endpoint.fileno(), mode)
        try:
            unixpath.bind(endpoint, path)
        except OSError as failure:
            if failure.errno in (errno.EADDRINUSE, errno.EEXIST):
                raise _in_use(path, "something else has just been made there") from None
            failure.filename = path
            raise
        file = SocketFile(endpoint, path)
        if mode is not None:
            file.widen(mode)
        return file


def listen(endpoint: socket.socket, backlog: int, file: SocketFile | None) -> None:
    """Have a socket listen, whose file is ``file`` if this process has made one.

    OSError with EADDRINUSE if another service has replaced the file while nobody was listening.
    """
    if file is None:
        endpoint.listen(backlog)
    else:
        with _locked(file.path):
            if file.replaced:
                raise _in_use(file.path, "another service has been started there meanwhile")
            endpoint.listen(backlog)
        mark_file(file.path)
    mark(endpoint, "listen")


def accept(endpoint: Any) -> tuple[Any, Any]:
    """As endpoint.accept(), which loses the connection open where there is no memory for its object."""
    if type(endpoint) is not socket.socket:
        given: tuple[Any, Any] = endpoint.accept()
        return given
    request = socket.socket.__new__(socket.socket)
    # Not taken apart outside of the try: that needs memory, too.
    came = endpoint._accept()  # type: ignore[attr-defined]
    try:
        request.__init__(endpoint.family, endpoint.type, endpoint.proto, fileno=came[0])  # type: ignore[misc]
    except BaseException:
        if request.fileno() == -1:
            os.close(came[0])
        raise
    return request, came[1]


def _clear_way(path: str) -> None:
    """Remove a stale socket file. OSError if something else is at the path."""
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(found.st_mode):
        raise _in_use(path, "what is there is no socket, and is left alone")
    with socket.socket(socket.AF_UNIX) as probe:
        # One that waits until a full queue has room again would never come back from a service that hangs.
        probe.setblocking(False)
        try:
            unixpath.connect(probe, path)
        except ConnectionRefusedError:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
            return
        except FileNotFoundError:
            return
        except BlockingIOError:
            pass
        except OSError as failure:
            raise _in_use(
                path, f"it cannot be found out whether a service is listening there ({failure.strerror})"
            ) from None
    raise _in_use(path, "a service is listening there")


def _in_use(path: str, why: str) -> OSError:
    return OSError(errno.EADDRINUSE, f"Address already in use: {why}", path)


def _identity(path: str) -> tuple[int, int] | None:
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _remove(pid: int, path: str, identity: tuple[int, int] | None, endpoint: socket.socket) -> None:
    if pid != os.getpid() or identity is None:
        return
    with _locked(path), contextlib.suppress(OSError):
        if _identity(path) == identity:
            os.unlink(path)


@contextlib.contextmanager
def _locked(path: str) -> Iterator[None]:
    """Keep others who do so from changing what is at ``path``."""
    try:
        fd = os.open(os.path.dirname(path) or ".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        yield
        return
    try:
        _lock(fd)
        yield
    finally:
        # Not by closing alone: a child that was forked meanwhile has the descriptor too.
        with contextlib.suppress(OSError):
            fcntl.flock(fd, fcntl.LOCK_UN)
        os.close(fd)


def _lock(fd: int) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > until:
                return
            time.sleep(0.002)
        except OSError:
            return
