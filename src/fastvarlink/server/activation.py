"""Sockets passed in by whoever started the process."""

from __future__ import annotations

import os
import stat

# systemd's convention: passed descriptors are numbered from here on.
FIRST_FD = 3


def get_listen_fd() -> int | None:
    """The descriptor of the socket passed to this process, None if there is none.

    Goes by LISTEN_FDS, LISTEN_PID and, where several descriptors were passed, LISTEN_FDNAMES, which must
    call one of them ``varlink``. A LISTEN_PID of another process means that none is meant for this one.
    """
    try:
        count = int(os.environ["LISTEN_FDS"])
        pid = int(os.environ["LISTEN_PID"])
    except (KeyError, ValueError):
        return None
    if pid != os.getpid() or count < 1:
        return None
    if count == 1:
        fd = FIRST_FD
    else:
        names = os.environ.get("LISTEN_FDNAMES", "").split(":")
        if len(names) != count or "varlink" not in names:
            return None
        fd = FIRST_FD + names.index("varlink")
    try:
        return fd if stat.S_ISSOCK(os.fstat(fd).st_mode) else None
    except OSError:
        return None
