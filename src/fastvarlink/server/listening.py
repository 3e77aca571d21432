"""Where a program listens: its addresses, or what it was given by whoever started it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from socket import AF_UNIX, AF_VSOCK, AI_PASSIVE, SO_REUSEADDR, SOCK_STREAM, SOL_SOCKET, getaddrinfo, socket
from typing import Any

from fastvarlink import address as addresses
from fastvarlink.error import AddressError
from fastvarlink.server import sockets
from fastvarlink.server.activation import environment_address, passed_sockets
from fastvarlink.server.sockets import SocketFile
from fastvarlink.server.streams import StandardStreams, take_standard_streams

__all__ = ["Listening", "open_endpoint"]

STANDARD_STREAMS = "-"


@dataclass
class Listening:
    """The sockets of a program, open."""

    #: Those that listen.
    endpoints: list[socket] = field(default_factory=list)
    #: The files that were made for them.
    files: list[SocketFile] = field(default_factory=list)
    #: Connections that were there already.
    connected: list[socket | StandardStreams] = field(default_factory=list)
    #: True if whoever started the process has the sockets, too.
    passed: bool = False

    def open(self, listen_at: tuple[str, ...], backlog: int, *, connections: bool) -> None:
        """Open all there is. What has been opened before an error remains to be closed.

        AddressError if there is nothing, or a connection and ``connections`` is false.
        """
        for each in passed_sockets():
            self.passed = True
            if each.listening:
                self.endpoints.append(each.socket)
            else:
                self.connected.append(each.socket)
                if not connections:
                    raise AddressError(
                        "A connection was passed to this process, which one process has to serve: leave out "
                        "'workers', or pass nothing but sockets that listen."
                    )
        if self.passed:
            return
        named = environment_address()
        for address in (named,) if named is not None else listen_at:
            if address == STANDARD_STREAMS:
                if not connections:
                    raise AddressError(
                        "The address '-', standard input and output, is one connection, which one process "
                        "has to serve: leave out 'workers'."
                    )
                self.connected.append(take_standard_streams())
                continue
            try:
                endpoint, file = open_endpoint(address, backlog)
            except OSError as failure:
                if failure.errno is not None and failure.filename is None:
                    # Of several addresses, it is to be known which one.
                    failure.filename = address
                raise
            self.endpoints.append(endpoint)
            if file is not None:
                self.files.append(file)
        if named is None and not listen_at:
            raise AddressError(
                "There is nothing to listen at: give an address, as in 'unix:/run/org.example.service', or "
                "start the service with a socket."
            )

    @property
    def addresses(self) -> list[str]:
        """Where the sockets listen, as clients need it: with the port that the kernel has chosen."""
        paths = iter([file.path for file in self.files])
        return [str(_address_of(endpoint, paths)) for endpoint in self.endpoints]

    def remove_files(self) -> None:
        """Remove the files, in the process that has made them."""
        for file in self.files:
            file.remove()

    def close(self) -> None:
        """Remove the files and close everything."""
        self.remove_files()
        for endpoint in (*self.endpoints, *self.connected):
            endpoint.close()


def _address_of(endpoint: socket, paths: Iterator[str]) -> addresses.Address:
    """The address of a socket; the next one of the paths, if it is of those whose file was made here."""
    name = endpoint.getsockname()
    if endpoint.family == AF_VSOCK:
        return addresses.Vsock(None, name[1], {})
    if endpoint.family != AF_UNIX:
        return addresses.TCP(name[0], name[1])
    if isinstance(name, bytes):
        return addresses.Unix("@" + os.fsdecode(name[1:]))
    # One that is too long for the kernel is known to it by another name.
    return addresses.Unix(os.path.abspath(next(paths, name)))


def open_endpoint(address: str, backlog: int) -> tuple[socket, SocketFile | None]:
    """A socket that listens at an address, and its file if it has one. AddressError, OSError if it cannot."""
    parsed = addresses.parse(address)
    if isinstance(parsed, addresses.TCP):
        found = getaddrinfo(parsed.host, parsed.port, type=SOCK_STREAM, flags=AI_PASSIVE)
        family, kind, protocol, _, *rest = found[0]
        sockaddr: Any = rest[0]
        endpoint = socket(family, kind, protocol)
    else:
        endpoint = socket(AF_VSOCK if isinstance(parsed, addresses.Vsock) else AF_UNIX)
        sockaddr = parsed.sockaddr
    file = None
    try:
        if isinstance(parsed, addresses.TCP):
            endpoint.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
            endpoint.bind(sockaddr)
        elif isinstance(parsed, addresses.Vsock) or parsed.abstract:
            endpoint.bind(sockaddr)
        else:
            mode = parsed.properties.get("mode")
            file = sockets.bind(
                endpoint, parsed.path, None if mode is None else sockets.parse_mode(mode, address)
            )
        sockets.listen(endpoint, backlog, file)
    except BaseException:
        if file is not None:
            file.remove()
        endpoint.close()
        raise
    return endpoint, file
