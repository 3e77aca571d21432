"""Sockets and addresses from whoever has started the process, as a program gets them (rules S2, S3)."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from fastvarlink.server.activation import environment_address

from .programs import PATIENCE, environment, run

# The program passes descriptors to itself from 3 on, as the letters say: a listening socket, a connected one,
# a datagram socket, a file. Then it tells what it has taken, twice, and what a child sees.
TAKING = """\
import json, os, socket, subprocess, sys
kinds, pidfd, *settings = sys.argv[1:]
given = dict(zip("lcd", map(int, os.environ.pop("GIVEN").split())))
given["f"] = os.dup2(os.open("/dev/null", os.O_RDONLY), 43, False)
for number, kind in enumerate(kinds, 3):
    os.dup2(given[kind], number)
os.environ["LISTEN_FDS"] = str(len(kinds))
os.environ["LISTEN_PID"] = str(os.getpid())
own = os.pidfd_open(os.getpid())
if pidfd == "own":
    os.environ["LISTEN_PIDFDID"] = str(os.fstat(own).st_ino)
elif pidfd == "old kernel":
    os.environ["LISTEN_PIDFDID"] = "12345678"
    os.pidfd_open = lambda pid: os.eventfd(0)
elif pidfd:
    os.environ["LISTEN_PIDFDID"] = pidfd
os.close(own)
os.environ.update(setting.split("=", 1) for setting in settings)
import fastvarlink
from fastvarlink.server.activation import passed_sockets
queried = fastvarlink.get_listen_fd()
assert queried == fastvarlink.get_listen_fd()
taken = passed_sockets()
child = "import os; print(*sorted(os.listdir('/proc/self/fd')), *(n for n in os.environ if 'LISTEN' in n))"
print(json.dumps({
    "queried": queried,
    "taken": [[each.name, each.socket.fileno(), each.listening] for each in taken],
    "again": len(passed_sockets()),
    "still open": [os.path.exists(f"/proc/self/fd/{fd}") for fd in range(3, 3 + len(kinds))],
    "child": subprocess.run(
        [sys.executable, "-c", child], capture_output=True, text=True, close_fds=False
    ).stdout.split(),
}))
"""


@pytest.fixture
def given() -> Iterator[str]:
    """The numbers of a listening, a connected and a datagram socket."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket(socket.AF_UNIX))
        listener.bind("")
        listener.listen()
        connected, other = map(stack.enter_context, socket.socketpair())
        datagram = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        yield f"{listener.fileno()} {connected.fileno()} {datagram.fileno()}"
        assert other.fileno() > 0


def take(given: str, kinds: str, *settings: str, pidfd: str = "") -> tuple[Any, str]:
    """What a program tells that has been passed those kinds of descriptors, and its log."""
    # The given ones are moved above those that are passed.
    shift = (
        "import os, sys\n"
        "numbers = [os.dup2(int(fd), 40 + i, False) for i, fd in enumerate(os.environ['GIVEN'].split())]\n"
        "os.environ['GIVEN'] = ' '.join(map(str, numbers))\n"
        "os.closerange(3, 40)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", shift + TAKING, kinds, pidfd, *settings],
        env=environment(GIVEN=given),
        pass_fds=[int(fd) for fd in given.split()],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr


@pytest.mark.parametrize(
    ("kinds", "settings", "expected"),
    [
        ("l", [], [["", 3, True]]),
        ("c", [], [["", 3, False]]),
        ("c", ["LISTEN_FDNAMES=varlink"], [["varlink", 3, False]]),
        ("l", ["LISTEN_FDNAMES=other"], [["other", 3, True]]),
        ("lc", [], [["", 3, True], ["", 4, False]]),
        ("lc", ["LISTEN_FDNAMES=varlink:varlink"], [["varlink", 3, True], ["varlink", 4, False]]),
        ("lcf", ["LISTEN_FDNAMES=a:varlink:b"], [["varlink", 4, False]]),
        ("lc", ["LISTEN_FDNAMES=a:b"], []),
    ],
)
def test_what_is_taken(given: str, kinds: str, settings: list[str], expected: list[Any]) -> None:
    told, log = take(given, kinds, *settings)
    assert told["taken"] == expected
    assert told["again"] == 0
    assert told["still open"] == [True] * len(kinds)
    # 3 is what it reads the directory by.
    assert told["child"] == ["0", "1", "2", "3"]
    assert log == ""


@pytest.mark.parametrize("setting", ["LISTEN_PID=1", "LISTEN_PID=", "LISTEN_FDS=0", "LISTEN_FDS=x"])
def test_variables_that_are_meant_for_another_process(given: str, setting: str) -> None:
    told, _ = take(given, "l", setting)
    assert (told["queried"], told["taken"]) == (None, [])
    # They are not ours to remove, nor is the socket.
    assert "3" in told["child"]
    assert {"LISTEN_FDS", "LISTEN_PID"} <= set(told["child"])


@pytest.mark.parametrize(
    ("pidfd", "count"), [("own", 1), ("1", 0), ("18446744073709551615", 0), ("x", 0), ("old kernel", 1)]
)
def test_the_pidfd_of_the_process_that_is_meant(given: str, pidfd: str, count: int) -> None:
    told, _ = take(given, "l", pidfd=pidfd)
    assert told["queried"] == (3 if count else None)
    assert len(told["taken"]) == count


@pytest.mark.parametrize(
    ("kinds", "settings", "expected", "fault"),
    [
        ("f", [], [], "descriptor 3 ('')"),
        ("lf", [], [["", 3, True]], "descriptor 4 ('')"),
        ("lf", ["LISTEN_FDNAMES=x:varlink"], [], "descriptor 4 ('varlink')"),
        ("dc", [], [["", 4, False]], "socket 3 ('')"),
        ("lc", ["LISTEN_FDNAMES=varlink"], [], "2 descriptors were passed, and 1 names"),
    ],
)
def test_what_cannot_be_used(
    given: str, kinds: str, settings: list[str], expected: list[Any], fault: str
) -> None:
    told, log = take(given, kinds, *settings)
    assert told["taken"] == expected
    assert fault in log
    assert told["still open"] == [True] * len(kinds)


@pytest.mark.parametrize(
    ("named", "address"),
    [
        (None, None),
        ("", None),
        ("-", "-"),
        ("/run/socket", "unix:/run/socket"),
        ("./socket", "unix:./socket"),
        ("@abstract", "unix:@abstract"),
        ("unix:/run/socket", "unix:/run/socket"),
        ("tcp:[::1]:1234", "tcp:[::1]:1234"),
    ],
)
def test_an_address_in_the_environment(
    monkeypatch: pytest.MonkeyPatch, named: str | None, address: str | None
) -> None:
    monkeypatch.delenv("SYSTEMD_VARLINK_LISTEN", raising=False)
    if named is not None:
        monkeypatch.setenv("SYSTEMD_VARLINK_LISTEN", named)
    assert environment_address() == address


def test_nothing_is_passed_to_a_program_by_itself() -> None:
    code = "from fastvarlink.server.activation import *; print(passed_sockets(), environment_address())"
    assert run(code) == "[] None"
