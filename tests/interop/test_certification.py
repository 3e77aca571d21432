"""org.varlink.certification between this implementation and others, in both roles."""

from __future__ import annotations

import json
import socket
import subprocess
from pathlib import Path

import pytest
from peers import OURS, PATIENCE, Peer, connect, find_peer

PAIRINGS = [
    ("ours", "ours"),
    ("ours", "python"),
    ("python", "ours"),
    ("ours", "go"),
    ("go", "ours"),
]


@pytest.fixture
def client_peer(request: pytest.FixtureRequest, client: str) -> Peer:
    return find_peer(request, client)


@pytest.mark.parametrize(("server", "client"), PAIRINGS)
def test_pairing_passes(serving: str, client_peer: Peer) -> None:
    done = subprocess.run(
        [*client_peer.command, "--client", f"--varlink={serving}"],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert client_peer.passed in done.stdout, done.stdout + done.stderr


def exchange(connection: socket.socket, message: object) -> dict[str, object]:
    connection.sendall(json.dumps(message).encode() + b"\0")
    reply = b""
    while not reply.endswith(b"\0"):
        data = connection.recv(65536)
        assert data, "The server closed the connection."
        reply += data
    decoded = json.loads(reply[:-1])
    assert isinstance(decoded, dict)
    return decoded


def started(connection: socket.socket) -> str:
    reply = exchange(connection, {"method": "org.varlink.certification.Start"})
    parameters = reply["parameters"]
    assert isinstance(parameters, dict)
    return str(parameters["client_id"])


@pytest.mark.parametrize("server", ["ours"])
@pytest.mark.parametrize(
    ("method", "extra", "error"),
    [
        ("Test02", {"bool": True}, "CertificationError"),  # not due yet
        ("Test01", {"client_id": "nobody"}, "ClientIdError"),
    ],
)
def test_server_refuses_a_wrong_call(serving: str, method: str, extra: dict[str, object], error: str) -> None:
    with connect(serving) as connection:
        parameters = {"client_id": started(connection), **extra}
        call = {"method": f"org.varlink.certification.{method}", "parameters": parameters}
        assert exchange(connection, call)["error"] == f"org.varlink.certification.{error}"


@pytest.mark.parametrize("server", ["ours"])
def test_server_refuses_a_flag_that_was_not_due(serving: str) -> None:
    with connect(serving) as connection:
        call = {
            "method": "org.varlink.certification.Test01",
            "parameters": {"client_id": started(connection)},
            "more": True,
        }
        error = "org.varlink.certification.CertificationError"
        assert exchange(connection, call)["error"] == error


def test_client_fails_without_a_server(tmp_path: Path) -> None:
    """Its exit status tells, and it says why without a traceback."""
    done = subprocess.run(
        [*OURS.command, "--client", f"--varlink=unix:{tmp_path}/nobody"],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
