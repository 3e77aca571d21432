"""What a manager at NOTIFY_SOCKET is told."""

from __future__ import annotations

import logging
import os
import socket
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from fastvarlink import unixpath
from fastvarlink.server.notify import Notifier, watchdog_interval


@pytest.fixture(params=["path", "long path", "abstract"])
def manager(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[socket.socket]:
    """The manager's socket, which NOTIFY_SOCKET names."""
    name = {
        "path": f"{tmp_path}/notify",
        "long path": f"{tmp_path}/{'n' * 200}",
        "abstract": f"@fastvarlink-notify-{uuid.uuid4().hex}",
    }[request.param]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as endpoint:
        endpoint.settimeout(10)
        unixpath.bind(endpoint, name.replace("@", "\0", 1) if name.startswith("@") else name)
        monkeypatch.setenv("NOTIFY_SOCKET", name)
        yield endpoint


def told(manager: socket.socket) -> list[str]:
    return manager.recv(4096).decode().split("\n")


def test_what_is_told(manager: socket.socket) -> None:
    notifier = Notifier()
    notifier.ready()
    assert told(manager) == ["READY=1"]
    notifier.stopping()
    assert told(manager) == ["STOPPING=1"]
    notifier.watchdog()
    assert told(manager) == ["WATCHDOG=1"]
    notifier.status("3 calls, größer\nMAINPID=1\r\nx")
    assert told(manager) == ["STATUS=3 calls, größer MAINPID=1 x"]
    before = time.monotonic_ns() // 1000
    notifier.reloading()
    first, second = told(manager)
    name, _, now = second.partition("=")
    assert (first, name) == ("RELOADING=1", "MONOTONIC_USEC")
    assert before <= int(now) <= time.monotonic_ns() // 1000


def test_the_variable_is_read_once(manager: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    notifier = Notifier()
    monkeypatch.delenv("NOTIFY_SOCKET")
    notifier.ready()
    assert told(manager) == ["READY=1"]


def tell_all(notifier: Notifier) -> None:
    notifier.ready()
    notifier.reloading()
    notifier.status("half a pair: \ud800")
    notifier.watchdog()
    notifier.stopping()


def test_no_manager(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    with caplog.at_level(logging.DEBUG):
        tell_all(Notifier())
    assert caplog.records == []


@pytest.mark.parametrize("name", ["vsock:2:1234", "relative", "@", "/missing/notify", "/" + "x" * 5000])
def test_a_manager_that_cannot_be_reached(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", name)
    with caplog.at_level(logging.DEBUG):
        tell_all(Notifier())
    assert {record.levelname for record in caplog.records} == {"DEBUG"}


def test_a_manager_that_does_not_read(
    manager: socket.socket, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("fastvarlink.server.notify.PATIENCE", 0.001)
    notifier = Notifier()
    with caplog.at_level(logging.DEBUG):
        for _ in range(100_000):
            notifier.watchdog()
            if caplog.records:
                break
    assert "'WATCHDOG=1' has not been delivered" in caplog.text
    assert manager.fileno() > 0


@pytest.mark.parametrize(
    ("allowed", "pid", "interval"),
    [
        ("30000000", "own", 15.0),
        ("30000000", None, 15.0),
        ("30000000", "", 15.0),
        ("1", "own", 0.0000005),
        ("30000000", "1", None),
        ("30000000", "x", None),
        ("0", "own", None),
        ("-5", "own", None),
        ("soon", "own", None),
        ("18446744073709551615", "own", None),
        (None, "own", None),
    ],
)
def test_the_interval_of_signs_of_life(
    monkeypatch: pytest.MonkeyPatch, allowed: str | None, pid: str | None, interval: float | None
) -> None:
    for name, value in (("WATCHDOG_USEC", allowed), ("WATCHDOG_PID", pid)):
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, str(os.getpid()) if value == "own" else value)
    assert watchdog_interval() == interval
