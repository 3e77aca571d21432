"""busy_poll of servers: calls are answered as ever, and what ends a server ends one that does not sleep."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import fastvarlink
from core.serving import Background, make_service
from wire.eventually import eventually

from .programs import PATIENCE, line, started

# Longer than any test waits.
FOREVER = 3600.0
TICK = 1 / os.sysconf("SC_CLK_TCK")

# WAY SECONDS ADDRESS
PROGRAM = """
import os, sys
import fastvarlink

way, seconds, address = sys.argv[1], float(sys.argv[2]), sys.argv[3]
service = fastvarlink.Service("Example", "Busy", "1", "https://example.org")

@service.interface("interface org.example.busy\\nmethod Pid() -> (pid: int)")
class Busy:
    def Pid(self):
        return {"pid": os.getpid()}

def ready():
    print("ready", flush=True)

try:
    if way in {"Server", "ThreadingServer"}:
        with getattr(fastvarlink, way)(address, service, busy_poll=seconds) as server:
            ready()
            server.serve_forever()
    else:
        service.serve(address, workers=int(way), busy_poll=seconds, ready=ready)
        print("returned", flush=True)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""

both = pytest.mark.parametrize("way", ["Server", "ThreadingServer"])


@contextmanager
def serving(way: str, seconds: float, folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The program, and the number of the process in it that has answered a call."""
    address = f"unix:{folder}/socket"
    with started("-c", PROGRAM, way, str(seconds), address) as process:
        assert line(process) == "ready"
        with fastvarlink.Client(address) as client, client.open("org.example.busy") as busy:
            yield process, busy.Pid()["pid"]


def cpu_time(pid: int) -> float:
    """The seconds that a process has computed."""
    # After the name, which may have anything in it.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * TICK


def spins(pid: int) -> None:
    """Wait until it has computed for so long that it cannot be asleep."""
    before = cpu_time(pid)
    eventually(lambda: cpu_time(pid) - before > 0.05, "it does not sleep", PATIENCE)


@pytest.mark.parametrize(
    ("value", "error"),
    [
        (-1, ValueError),
        (math.nan, ValueError),
        (math.inf, ValueError),
        (True, TypeError),
        ("1", TypeError),
        (b"", TypeError),
    ],
)
def test_what_is_no_number_of_seconds_is_refused(tmp_path: Path, value: Any, error: type[Exception]) -> None:
    service, address = make_service(None), f"unix:{tmp_path}/socket"
    ways: list[Callable[[], Any]] = [
        lambda: fastvarlink.Server(address, service, busy_poll=value),
        lambda: fastvarlink.ThreadingServer(address, service, busy_poll=value),
        lambda: fastvarlink.serve(service, address, busy_poll=value),
        lambda: fastvarlink.Client(address, busy_poll=value),
        lambda: fastvarlink.Pool(address, busy_poll=value),
    ]
    for way in ways:
        with pytest.raises(error, match="'busy_poll' is "):
            way()
    assert os.listdir(tmp_path) == []


def test_coroutines_cannot_have_it(tmp_path: Path) -> None:
    service = fastvarlink.Service()

    @service.interface("interface org.example.busy\nmethod Ping() -> ()")
    class Busy:
        async def Ping(self) -> None: ...

    with pytest.raises(ValueError, match="event loop"):
        service.serve(f"unix:{tmp_path}/socket", busy_poll=0.001)


@pytest.mark.parametrize("server_class", [fastvarlink.Server, fastvarlink.ThreadingServer])
@pytest.mark.parametrize("seconds", [None, 0, 1e-6, 0.001, FOREVER])
def test_calls_are_answered_and_shutdown_ends_it(
    tmp_path: Path, server_class: type[fastvarlink.Server], seconds: float | None
) -> None:
    class Handler:
        def Echo(self, text: str) -> dict[str, Any]:
            return {"text": text}

        def Tick(self, count: int) -> Iterator[dict[str, Any]]:
            for number in range(count):
                yield {"number": number, "_continues": number + 1 < count}

    address = f"unix:{tmp_path}/socket"
    with server_class(address, make_service(Handler()), busy_poll=seconds) as server:
        thread = Background(server.serve_forever)
        with fastvarlink.Client(address) as client, client.open("org.example.core") as handler:
            for number in range(100):
                assert handler.Echo(str(number)) == {"text": str(number)}
            assert [each["number"] for each in handler.Tick(300, _more=True)] == list(range(300))
        Background(server.shutdown).result()
        thread.result()


@both
def test_an_interrupt_ends_it(tmp_path: Path, way: str) -> None:
    with serving(way, FOREVER, tmp_path) as (process, pid):
        spins(pid)
        process.send_signal(signal.SIGINT)
        assert line(process) == "interrupted"
        assert process.wait(PATIENCE) == 0


@both
def test_one_that_has_nothing_to_do_sleeps(tmp_path: Path, way: str) -> None:
    with serving(way, 0.1, tmp_path) as (process, pid):

        def asleep() -> bool:
            before = cpu_time(pid)
            time.sleep(0.5)
            return cpu_time(pid) - before < 0.05

        eventually(asleep, "it sleeps", PATIENCE)
        assert process.poll() is None


def test_workers_have_it_and_are_drained(tmp_path: Path) -> None:
    with serving("2", FOREVER, tmp_path) as (process, pid):
        assert pid != process.pid
        spins(pid)
        process.send_signal(signal.SIGTERM)
        assert line(process) == "returned"
        assert process.wait(PATIENCE) == 0


def test_what_expires_does_so_while_it_does_not_sleep(tmp_path: Path) -> None:
    """exit_idle_time, by the countdown that the leader looks at."""

    class Brief(fastvarlink.Server):
        exit_idle_time = 0.05
        busy_poll = FOREVER

    with Brief(f"unix:{tmp_path}/socket", make_service(None)) as server:
        Background(server.serve_forever).result()
