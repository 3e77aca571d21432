"""Ports of virtual machines. Where the kernel cannot connect to itself, only what it takes to listen."""

from __future__ import annotations

import errno
import socket
import threading
from collections.abc import Iterator

import pytest

import fastvarlink
from fastvarlink.address import Vsock, parse

LOCAL = 1


@pytest.fixture(autouse=True)
def _vsock() -> None:
    try:
        socket.socket(socket.AF_VSOCK).close()
    except OSError as failure:
        pytest.skip(f"This kernel has no vsock: {failure.strerror}.")


@pytest.mark.rule("S1")
def test_the_address() -> None:
    address = parse("vsock:2:1031;later=1")
    assert isinstance(address, Vsock)
    assert (address.cid, address.port, address.sockaddr) == (2, 1031, (2, 1031))
    assert str(address) == "vsock:2:1031;later=1"
    assert str(parse("vsock::7")) == "vsock::7"


class Handler(fastvarlink.RequestHandler):
    service = fastvarlink.Service(vendor="vsock")


@pytest.fixture
def port() -> Iterator[int]:
    """The port at which a service listens."""
    with fastvarlink.ThreadingServer(f"vsock::{socket.VMADDR_PORT_ANY}", Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.socket.getsockname()[1]
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.rule("S1")
def test_a_server_and_a_client(port: int) -> None:
    with fastvarlink.Client(f"vsock:{LOCAL}:{port}", timeout=10) as client:
        try:
            client.get_interfaces()
        except OSError as failure:
            if failure.errno not in (errno.ENODEV, errno.ETIMEDOUT, errno.ENETUNREACH, None):
                raise
            pytest.skip(f"This kernel cannot connect to its own vsock: {failure}")
        assert client.info["vendor"] == "vsock"
