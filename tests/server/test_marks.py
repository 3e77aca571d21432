"""The attribute ``user.varlink`` of sockets, on kernels that have it and on others (rule S6)."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator

import pytest

import fastvarlink
from fastvarlink import marks


@pytest.fixture(autouse=True)
def nothing_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(marks, "_refused", set())


@pytest.fixture
def endpoint() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as made:
        yield made


@pytest.mark.parametrize(
    ("refusal", "tries"), [(errno.EPERM, 1), (errno.ENOTSUP, 1), (errno.ENOSYS, 1), (errno.ENOSPC, 3)]
)
def test_a_refusal_is_remembered(
    monkeypatch: pytest.MonkeyPatch, endpoint: socket.socket, refusal: int, tries: int
) -> None:
    asked = []

    def setxattr(*given: object, **_: object) -> None:
        asked.append(given)
        raise OSError(refusal, "refused")

    monkeypatch.setattr(os, "setxattr", setxattr)
    for _ in range(3):
        marks.mark(endpoint, "server")
    assert asked == [(endpoint.fileno(), "user.varlink", b"server")] * tries
    # That says nothing of the others.
    marks.mark(endpoint, "client")
    marks.mark_file("/first")
    marks.mark_file("/second")
    assert asked[tries:] == [
        (endpoint.fileno(), "user.varlink", b"client"),
        ("/first", "user.varlink", b"entrypoint"),
        ("/second", "user.varlink", b"entrypoint"),
    ]


def test_other_sockets_have_no_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(os, "setxattr", lambda *given: asked.append(given))
    with socket.socket(socket.AF_INET) as endpoint:
        marks.mark(endpoint, "listen")
    assert asked == []


def test_marks_cost_nothing_but_their_absence(endpoint: socket.socket) -> None:
    """What this kernel really does: the mark is there, or nothing has happened."""
    marks.mark(endpoint, "client")
    if marks._refused:
        with pytest.raises(OSError, match=r"\[Errno"):
            os.getxattr(endpoint.fileno(), "user.varlink")
    else:
        assert os.getxattr(endpoint.fileno(), "user.varlink") == b"client"


def test_a_command_at_the_other_end_of_a_bridge(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(os, "setxattr", lambda fd, name, role: asked.append((name, role)))
    with fastvarlink.Client.new_with_bridge(["cat"]) as client, client.open_connection():
        assert asked == [("user.varlink", b"client")]
