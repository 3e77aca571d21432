"""Connecting to a service without holding up the loop."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from typing import Any

from fastvarlink import address as addresses
from fastvarlink import unixpath
from fastvarlink._core.taskchannel import TaskChannel
from fastvarlink.client.ways import Way
from fastvarlink.limits import Limits
from fastvarlink.marks import mark

__all__ = ["connect"]


async def connect(way: Way, limits: Limits, strict: bool = True) -> TaskChannel:
    """A new connection, to a service that may cost so much. OSError if nobody answers there."""
    loop = asyncio.get_running_loop()
    address = way.address
    if address is None:
        # Event loops start their own processes likewise, while everything waits.
        endpoint = way.open()
        endpoint.setblocking(False)
    elif isinstance(address, addresses.TCP):
        endpoint = await _connect_tcp(loop, address)
    elif isinstance(address, addresses.Vsock):
        endpoint = await _connect_vsock(loop, address)
    else:
        endpoint = await _connect_unix(address)
    try:
        return TaskChannel(endpoint, limits, strict, loop)
    except BaseException:
        endpoint.close()
        raise


async def _connect_tcp(loop: asyncio.AbstractEventLoop, address: addresses.TCP) -> socket.socket:
    found = await loop.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    failures = []
    for family, kind, protocol, _, sockaddr in found:
        endpoint = socket.socket(family, kind, protocol)
        try:
            endpoint.setblocking(False)
            await loop.sock_connect(endpoint, sockaddr)
            endpoint.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return endpoint
        except OSError as failure:
            endpoint.close()
            failures.append(failure)
        except BaseException:
            endpoint.close()
            raise
    raise failures[-1]


async def _connect_vsock(loop: asyncio.AbstractEventLoop, address: addresses.Vsock) -> socket.socket:
    endpoint = socket.socket(socket.AF_VSOCK)
    try:
        endpoint.setblocking(False)
        # Not sock_connect(), which in uvloop looks the host up, as if it were one of the internet.
        code = endpoint.connect_ex(address.sockaddr)
        if code == errno.EINPROGRESS:
            await _writable(loop, endpoint)
            code = endpoint.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise OSError(code, os.strerror(code))
    except BaseException:
        endpoint.close()
        raise
    return endpoint


async def _writable(loop: asyncio.AbstractEventLoop, endpoint: socket.socket) -> None:
    ready = loop.create_future()

    def wake() -> None:
        if not ready.done():
            ready.set_result(None)

    loop.add_writer(endpoint, wake)
    try:
        await ready
    finally:
        loop.remove_writer(endpoint)


async def _connect_unix(address: addresses.Unix) -> socket.socket:
    endpoint = socket.socket(socket.AF_UNIX)
    try:
        endpoint.setblocking(False)
        # Nothing tells when a service that has too many connections to accept has room again, and the loop's
        # own way takes that for success.
        while not _connected(endpoint, address.sockaddr):
            await asyncio.sleep(0.01)
        mark(endpoint, "client")
    except BaseException:
        endpoint.close()
        raise
    return endpoint


def _connected(endpoint: socket.socket, sockaddr: Any) -> bool:
    try:
        unixpath.connect(endpoint, sockaddr)
    except BlockingIOError:
        return False
    return True
