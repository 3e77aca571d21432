"""Connecting to the socket of a service."""

from __future__ import annotations

import socket
import time

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
        if isinstance(address, addresses.TCP):
            return _connect_tcp(address, due)
        if isinstance(address, addresses.Vsock):
            return _connect_vsock(address, due)
        return _connect_unix(address, due)
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


def _connect_vsock(address: addresses.Vsock, due: float | None) -> socket.socket:
    connection = socket.socket(socket.AF_VSOCK)
    try:
        connection.settimeout(_left(due))
        connection.connect(address.sockaddr)
        connection.settimeout(None)
    except BaseException:
        connection.close()
        raise
    return connection


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
