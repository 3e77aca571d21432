"""Bytes that are passed on between stdin, stdout and a connection."""

from __future__ import annotations

import os
import select
import socket
import stat
import sys

from fastvarlink.cli.fault import LEFT, REJECTED, UNREACHABLE, end_quietly, fail

__all__ = ["pass_through", "read", "received", "stdin_fd", "write_out"]

CHUNK = 65536


def pass_through(connection: socket.socket) -> None:
    """Copy stdin to the connection and the connection to stdout until the service ends.

    The end of stdin is passed on as a half-close, so that replies under way still arrive. While the service
    takes nothing, what it sends is passed on all the same: it may wait for that.
    """
    stdin = stdin_fd()
    unsent = memoryview(b"")
    more = True
    connection.setblocking(False)
    while True:
        # Not epoll, which takes no regular files.
        poll = select.poll()
        poll.register(connection, select.POLLIN | (select.POLLOUT if unsent else 0))
        if more and not unsent:
            poll.register(stdin, select.POLLIN)
        for fd, events in poll.poll():
            if fd != connection.fileno():
                unsent = memoryview(read(stdin))
                more = bool(unsent)
                if not more:
                    connection.shutdown(socket.SHUT_WR)
                continue
            if events & select.POLLOUT:
                unsent = unsent[connection.send(unsent) :]
            if events & ~select.POLLOUT:
                data = received(connection)
                if not data:
                    return
                write_out(data)


def received(connection: socket.socket) -> bytes:
    """What has arrived. Fails where file descriptors came along, which cannot be passed on (rule D4)."""
    if connection.family != socket.AF_UNIX:
        return connection.recv(CHUNK)
    # With room for the header only: the system keeps the descriptors, and tells.
    data, _, flags, _ = connection.recvmsg(CHUNK, socket.CMSG_LEN(0))
    if flags & socket.MSG_CTRUNC:
        fail("A message came with file descriptors, which a bridge cannot pass on.")
    return data


def stdin_fd() -> int:
    """The descriptor of stdin. Fails where that is closed."""
    if sys.stdin is None:
        fail("There are no calls to pass on: stdin is closed.", REJECTED)
    return sys.stdin.fileno()


def read(fd: int) -> bytes:
    """What has arrived at a descriptor, which may be a socket."""
    if not stat.S_ISSOCK(os.fstat(fd).st_mode):
        return os.read(fd, CHUNK)
    endpoint = socket.socket(fileno=fd)
    try:
        return received(endpoint)
    finally:
        endpoint.detach()


def write_out(data: bytes) -> None:
    """Write all of it to stdout. Ends quietly when nobody reads on."""
    if sys.stdout is None:
        fail("The replies cannot be written: stdout is closed.", UNREACHABLE)
    view = memoryview(data)
    try:
        while view:
            view = view[os.write(sys.stdout.fileno(), view) :]
    except BrokenPipeError:
        end_quietly(LEFT)
