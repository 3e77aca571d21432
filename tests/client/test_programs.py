"""Addresses that stand for programs: how those are started, what they are given, and how they end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

import fastvarlink
from fastvarlink.client import programs
from fastvarlink.error import AddressError, ConnectionLost

from .programs import answering, executable, stand_in_ssh

MORE = "org.example.more"

# The braces stand for a folder with the program, and for a socket that a program of this kind listens at.
FORMS = [
    "exec:{folder}/answering",
    "{folder}/answering",
    "./answering",
    "ssh-exec:somewhere:{folder}/answering",
    "ssh-exec:somewhere:env A='b  c' {folder}/answering",
    "ssh-unix:somewhere:{socket}",
    "ssh:somewhere:{socket}",
    "answering:anything at all",
]


@pytest.fixture
def within(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, which has the program, an ssh, and a helper for addresses answering:..."""
    answering(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SYSTEMD_SSH", str(stand_in_ssh(tmp_path)))
    monkeypatch.setenv("SYSTEMD_VARLINK_BRIDGES_DIR", str(tmp_path))
    return tmp_path


@pytest.fixture(scope="module")
def socket_of_a_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The path of a socket at which org.example.more is served."""
    program = answering(tmp_path_factory.mktemp("activated"))
    with fastvarlink.Client.new_with_activate([str(program)]) as client:
        yield str(client).removeprefix("unix:")


def is_ours(pid: int) -> bool:
    """Whether this is a process that this one has started, be it a zombie."""
    try:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def wait_until_ended(pid: int) -> None:
    """Wait for the end of a process, but leave it for whoever has to see to it."""
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


@pytest.mark.rule("S1")
@pytest.mark.parametrize("form", FORMS)
def test_a_client_of_a_program(within: Path, socket_of_a_service: str, form: str) -> None:
    address = form.format(folder=within, socket=socket_of_a_service)
    with fastvarlink.Client(address) as client:
        assert str(client) == address
        with client.open(MORE) as more:
            assert more.Ping("here") == {"pong": "here"}
            assert len(list(more.TestMore(2, _more=True))) == 5
        pid = client._child_pid
        assert is_ours(pid)
    assert not is_ours(pid)


def test_a_pool_and_a_pipeline_of_programs(within: Path) -> None:
    with fastvarlink.Pool(f"exec:{within}/answering", size=2) as pool:
        more = pool.open(MORE)
        with more.TestMore(1, _more=True) as stream:
            next(stream)
            assert more.Ping("beside") == {"pong": "beside"}
    with fastvarlink.Client(f"exec:{within}/answering") as client, client.pipeline() as pipeline:
        replies = [pipeline.open(MORE).Ping(str(i)) for i in range(3)]
    assert [reply.result()["pong"] for reply in replies] == ["0", "1", "2"]


def test_ssh_is_called_as_it_wants_to_be(within: Path, socket_of_a_service: str) -> None:
    for address in (f"ssh-exec:somewhere:{within}/answering", f"ssh-unix:somewhere:{socket_of_a_service}"):
        with fastvarlink.Client(address) as client:
            client.get_interfaces()
    assert (within / "ssh.calls").read_text().splitlines() == [
        f"-e none -T somewhere env SYSTEMD_VARLINK_LISTEN=- {within}/answering",
        f"-W {socket_of_a_service} somewhere",
    ]


@pytest.fixture
def record(tmp_path: Path) -> Callable[..., Any]:
    """What a program finds that is started for an address; a helper if the address is none of exec:."""

    def start(address: str) -> Any:
        found = tmp_path / "found"
        executable(
            tmp_path / "noting",
            f"#!{sys.executable}\n"
            "import json, os, pathlib, socket, sys\n"
            "print('printed')\n"
            "names = [name for name in os.environ if 'LISTEN' in name]\n"
            f"pathlib.Path({str(found)!r}).write_text(json.dumps(dict(\n"
            "    argv=sys.argv, environment={name: os.environ[name] for name in names}, pid=os.getpid(),\n"
            "    stdin=os.path.sameopenfile(0, os.open(os.devnull, os.O_RDONLY)),\n"
            "    connected=socket.socket(fileno=3).getpeername(),\n"
            "    others=[fd for fd in os.listdir('/proc/self/fd') if int(fd) > 10])))\n",
        )
        with fastvarlink.Client(address) as client, pytest.raises(ConnectionLost):
            client.open(MORE)
        return json.loads(found.read_text())

    return start


@pytest.mark.parametrize("kind", ["exec", "helper"])
def test_a_program_finds_its_connection_as_a_passed_socket(
    record: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    kind: str,
) -> None:
    """It learns nothing of the sockets that this process was passed, and what it prints is not our output."""
    monkeypatch.setenv("SYSTEMD_VARLINK_BRIDGES_DIR", str(tmp_path))
    for name in ("LISTEN_PID", "LISTEN_PIDFDID", "LISTEN_FDS", "LISTEN_FDNAMES", "SYSTEMD_VARLINK_LISTEN"):
        monkeypatch.setenv(name, "17")
    address = f"exec:{tmp_path}/noting" if kind == "exec" else "noting:some thing;at=all"
    found = record(address)
    assert found["argv"] == [f"{tmp_path}/noting", *([address] if kind == "helper" else [])]
    assert found["environment"] == {
        "LISTEN_FDS": "1",
        "LISTEN_FDNAMES": "varlink",
        "LISTEN_PID": str(found["pid"]),
    }
    assert found["stdin"]
    assert capfd.readouterr() == ("", "printed\n")


@pytest.mark.parametrize(
    ("text", "fate"),
    [
        ("exit 3", "has ended with exit status 3"),
        ("kill -KILL $$", "was ended by SIGKILL"),
        # With the call unread, which the system tells otherwise.
        ("head -c 1 <&3 > /dev/null; exit 4", "has ended with exit status 4"),
    ],
)
def test_a_program_that_ends_before_it_answers(tmp_path: Path, text: str, fate: str) -> None:
    program = executable(tmp_path / "ending", f"#!/bin/sh\n{text}\n")
    with (
        fastvarlink.Client(f"exec:{program}") as client,
        pytest.raises(ConnectionLost, match=rf"The program '{program}' {fate}\."),
    ):
        client.open(MORE)


def test_an_activated_service_that_ends_before_it_answers(tmp_path: Path) -> None:
    program = executable(tmp_path / "ending", "#!/bin/sh\nsleep 0.1\nexit 5\n")
    with (
        fastvarlink.Client.new_with_activate([str(program)]) as client,
        pytest.raises(ConnectionLost, match="has ended with exit status 5"),
    ):
        client.open(MORE)


@pytest.mark.parametrize("form", ["exec:{path}", "ssh-exec:somewhere:cat"])
@pytest.mark.parametrize(
    ("make", "failure"),
    [
        (lambda path: None, FileNotFoundError),
        (lambda path: path.write_text("no program"), PermissionError),
        (lambda path: path.mkdir(), PermissionError),
    ],
)
def test_a_program_that_cannot_be_started(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    form: str,
    make: Callable[[Path], Any],
    failure: type[OSError],
) -> None:
    path = tmp_path / "none"
    make(path)
    monkeypatch.setenv("SYSTEMD_SSH", str(path))
    with (
        fastvarlink.Client(form.format(path=path)) as client,
        pytest.raises(failure, match=str(path)),
    ):
        client.open(MORE)


def test_programs_that_have_ended_are_no_zombies_for_long(within: Path) -> None:
    with fastvarlink.Client(f"exec:{within}/answering") as client:
        with client.open(MORE):
            first = client._child_pid
        wait_until_ended(first)
        with client.open(MORE):
            assert not is_ours(first)


def test_a_program_may_finish_what_it_was_told_last(within: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with fastvarlink.Client(f"exec:{within}/answering") as client, client.open(MORE) as more:
        more.StopServing("enough", _oneway=True)
    assert "Asked to stop: enough" in capfd.readouterr().err


def test_a_program_that_will_not_end_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "_TO_OBEY", 0.1)
    text = "trap '' TERM\necho >&3\nread line <&3\nread line <&3\n"
    program = executable(tmp_path / "stubborn", f"#!/bin/sh\n{text}")
    with fastvarlink.Client(f"exec:{program}") as client:
        connection = client.open_connection()
        pid = client._child_pid
        assert connection.recv(1) == b"\n"
    assert not is_ours(pid)
    connection.close()


@pytest.mark.rule("S1")
@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("exec:", "must read 'exec:/PATH/OF/A/PROGRAM'"),
        ("exec:relative", "must read 'exec:/PATH/OF/A/PROGRAM'"),
        ("exec:/a\0b", "cannot contain a NUL"),
        ("ssh-exec:host", "must read 'ssh-exec:HOST:COMMAND'"),
        ("ssh-exec:host: ", "must read 'ssh-exec:HOST:COMMAND'"),
        ("ssh-exec::command", "must read 'ssh-exec:HOST:COMMAND'"),
        ("ssh-exec:-oProxyCommand=evil:command", "must read 'ssh-exec:HOST:COMMAND'"),
        ("ssh-unix:host", "must read 'ssh-unix:HOST:/PATH/OF/A/SOCKET'"),
        ("ssh-unix:host:@abstract", "by an absolute path alone"),
        ("ssh:-W:/path", "must read 'ssh:HOST:/PATH/OF/A/SOCKET'"),
        ("gopher:hole", r"one of .*'exec:'.* no helper program '{bridges}/gopher'"),
        ("../gopher:hole", r"or be a path that begins with '/' or './'\.$"),
        ("vsock:", "both of them numbers"),
        ("vsock:2", "both of them numbers"),
        ("vsock:2:http", "both of them numbers"),
        ("vsock:4294967296:1", "both of them numbers"),
    ],
)
def test_an_address_that_is_none(
    within: Path, monkeypatch: pytest.MonkeyPatch, address: str, said: str
) -> None:
    bridges = within / "bridges"
    # Ours goes before the one of systemd.
    monkeypatch.setenv("SYSTEMD_VARLINK_BRIDGES_DIR", str(within))
    monkeypatch.setenv("VARLINK_BRIDGES_DIR", str(bridges))
    executable(within / "gopher", "")
    with pytest.raises(AddressError, match=said.format(bridges=bridges)):
        fastvarlink.Client(address)


def test_what_a_resolver_says_starts_no_program(within: Path) -> None:
    class Resolver:
        def Resolve(self, interface: str) -> dict[str, str]:
            return {"address": f"exec:{within}/answering" if interface == MORE else f"{within}/answering"}

    service = fastvarlink.Service()
    service.interfaces["org.varlink.resolver"] = fastvarlink.Interface(
        "interface org.varlink.resolver\nmethod Resolve(interface: string) -> (address: string)\n"
    )
    service.interfaces_handlers["org.varlink.resolver"] = Resolver()

    class Handler(fastvarlink.RequestHandler):
        pass

    Handler.service = service
    with fastvarlink.ThreadingServer(f"unix:{within}/resolver", Handler) as server, ExitStack() as stack:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        stack.callback(thread.join)
        stack.callback(server.shutdown)
        resolver = f"unix:{within}/resolver"
        with pytest.raises(AddressError, match="must begin with 'unix:', 'tcp:' or 'vsock:'"):
            fastvarlink.Client(resolve_interface=MORE, resolver=resolver)
        with (
            fastvarlink.Client(resolve_interface="org.example.other", resolver=resolver) as client,
            pytest.raises(ConnectionRefusedError),
        ):
            client.open_connection()


def test_what_starts_programs_is_imported_with_the_first_of_them() -> None:
    text = (
        "import sys, fastvarlink\n"
        "client = fastvarlink.Client('unix:/run/service')\n"
        "assert 'fastvarlink.client.programs' not in sys.modules\n"
        "with fastvarlink.Client('exec:/bin/false'):\n"
        "    assert 'fastvarlink.client.programs' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", text], check=True)
