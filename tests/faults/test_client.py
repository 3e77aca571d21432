"""What our client does when the system fails it: what can be mended does not show, the rest is raised."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from server.programs import environment

from .injection import SHORT, Injection, build

HERE = Path(__file__).parent
EXPECTED = [{"text": "one"}, 0, 1, 2, 3, 4, {"texts": ["noted"]}, 100_000, "THERE"]

Ask = Callable[[], dict[str, Any]]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("inject"))


@pytest.fixture(scope="module")
def client(library: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Injection, Ask]]:
    folder = tmp_path_factory.mktemp("client")
    path = f"{folder}/socket"
    preloaded = Injection(library, folder / "faults")
    unharmed = Injection(library, folder / "none")
    with (
        preloaded,
        unharmed,
        subprocess.Popen(
            [sys.executable, HERE / "service.py", "ThreadingServer", "careful", f"unix:{path}"],
            env=environment(**unharmed.environment()),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        ) as service,
    ):  # fmt: skip
        assert service.stdout is not None
        assert service.stdout.readline() == "listening\n"
        with subprocess.Popen(
            [sys.executable, HERE / "client.py", path],
            env=environment(**preloaded.environment()),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        ) as process:  # fmt: skip

            def ask() -> dict[str, Any]:
                assert process.stdin is not None
                assert process.stdout is not None
                process.stdin.write("\n")
                process.stdin.flush()
                told: dict[str, Any] = json.loads(process.stdout.readline())
                return told

            assert ask()["given"] == EXPECTED
            yield preloaded, ask
            process.communicate()
            assert process.returncode == 0
        service.communicate()


def made(injection: Injection, ask: Ask, kind: str) -> int:
    """How many such calls a conversation makes."""
    injection.reset()
    assert ask()["given"] == EXPECTED
    return injection.calls(kind)


@pytest.mark.parametrize(
    ("kind", "failure"),
    [
        ("poll", errno.EINTR),
        *((kind, each) for kind in ("recv", "recvmsg", "send", "sendmsg") for each in (errno.EINTR, SHORT)),
    ],
)
def test_what_can_be_mended_does_not_show(client: tuple[Injection, Ask], kind: str, failure: int) -> None:
    injection, ask = client
    for n in range(1, min(made(injection, ask, kind), 30) + 1):
        injection.arm(kind, failure, (n, n))
        assert ask()["given"] == EXPECTED, f"call {n} of {kind}"
    for seed in range(5):
        injection.arm(kind, failure, share=0.5, seed=seed)
        assert ask()["given"] == EXPECTED, f"half of the calls of {kind}, seed {seed}"
    injection.disarm()


@pytest.mark.parametrize(
    ("kind", "failure"),
    [
        *((kind, failure) for kind in ("recv", "recvmsg") for failure in ("ECONNRESET", "ENOMEM")),
        *((kind, failure) for kind in ("send", "sendmsg") for failure in ("EPIPE", "ECONNRESET", "ENOBUFS")),
        ("raw", "ENOMEM"),
        ("object", "ENOMEM"),
    ],
)
def test_what_cannot_be_mended_is_an_exception(
    client: tuple[Injection, Ask], kind: str, failure: str
) -> None:
    injection, ask = client
    calls = made(injection, ask, kind)
    assert calls
    before = ask()["descriptors"]
    for n in range(1, calls + 1, max(1, calls // 300)):
        injection.arm(kind, getattr(errno, failure), (n, n))
        told = ask()
        injection.disarm()
        assert "failed" in told or told["given"] == EXPECTED, f"call {n} of {kind}"
        told = ask()
        assert told["given"] == EXPECTED
        assert told["descriptors"] == before
