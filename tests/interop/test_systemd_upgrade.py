"""Our client takes over its connection to a service of systemd: varlinkctl serve."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from peers import PATIENCE
from systemd import VarlinkCtl, command

import fastvarlink
from fastvarlink.error import ExpectedUpgrade

TEXT = b"n\xc3\xa4\0" * 100_000


@pytest.fixture
def cat(systemd_tree: Path, varlinkctl: VarlinkCtl) -> list[str]:
    """What runs a service that sends everything back: org.example.Cat, once it is upgraded."""
    words = command(systemd_tree, "usr/bin/varlinkctl")
    if "\n  serve " not in varlinkctl("--help").stdout:
        pytest.skip("This varlinkctl serves nothing yet.")
    return [*words, "serve", "org.example.Cat", "cat"]


def echoed(connection: socket.socket) -> bytes:
    """What comes back of TEXT until the service closes the connection."""
    connection.settimeout(PATIENCE)
    received = b""
    # In pieces that fit into the buffers on the way: nobody reads while this writes.
    for start in range(0, len(TEXT), 4096):
        piece = TEXT[start : start + 4096]
        connection.sendall(piece)
        expected = len(received) + len(piece)
        while len(received) < expected:
            data = connection.recv(4096)
            assert data, "The service has closed the connection."
            received += data
    connection.shutdown(socket.SHUT_WR)
    assert connection.recv(1) == b""
    return received


@pytest.mark.rule("C12")
def test_upgrade(cat: list[str]) -> None:
    with fastvarlink.Client.new_with_activate(cat) as client, client.open("org.example") as example:
        reply, connection = example.Cat(_upgrade=True)
        with connection:
            assert reply == {}
            assert echoed(connection) == TEXT


@pytest.mark.rule("C11")
def test_upgrade_that_was_not_asked_for(cat: list[str]) -> None:
    with fastvarlink.Client.new_with_activate(cat) as client, client.open("org.example") as example:
        with pytest.raises(ExpectedUpgrade):
            example.Cat()
        # The connection goes on as it was.
        _, connection = example.Cat(_upgrade=True)
        with connection:
            assert echoed(connection) == TEXT
