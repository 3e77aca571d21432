"""Files of unix sockets: replaced when stale, made with their mode, removed by who made them (rule S4)."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import socket
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

import fastvarlink
from fastvarlink import unixpath
from fastvarlink.error import AddressError
from fastvarlink.server import sockets

from .programs import PROGRAM, line, run, started, tell

SERVICE = fastvarlink.Service(vendor="Example", product="Files", version="1", url="https://example.com")


def product_at(path: object) -> str:
    """The product of the service at a path."""
    with fastvarlink.Client(f"unix:{path}") as client:
        client.get_interfaces()
        product: str = client.info["product"]
        return product


@contextmanager
def serving(address: str) -> Iterator[fastvarlink.Server]:
    """A server at the address, which serves in a thread."""
    with fastvarlink.ThreadingServer(address, SERVICE) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def leave_stale(path: object) -> None:
    """A socket file that nobody listens at."""
    with socket.socket(socket.AF_UNIX) as endpoint:
        unixpath.bind(endpoint, str(path))


@pytest.fixture
def long_directory(tmp_path: Path) -> Path:
    """A directory whose path is too long for an address."""
    directory = tmp_path / ("d" * 120)
    directory.mkdir()
    return directory


@pytest.fixture(params=["short", "long directory", "long name"])
def path(request: pytest.FixtureRequest, tmp_path: Path, long_directory: Path) -> Path:
    """A path in an empty directory, of each kind that is bound in another way."""
    (tmp_path / "short").mkdir()
    return {
        "short": tmp_path / "short" / "socket",
        "long directory": long_directory / "socket",
        "long name": long_directory / ("n" * 255),
    }[request.param]


# ---- what is there already


def test_a_path_of_any_length(path: Path) -> None:
    with serving(f"unix:{path}") as server:
        assert server.server_address == server.remove_file == str(path)
        assert product_at(path) == "Files"
        assert os.listdir(path.parent) == [path.name]
    assert os.listdir(path.parent) == []


def test_a_stale_file_is_replaced(path: Path) -> None:
    leave_stale(path)
    with serving(f"unix:{path}"):
        assert product_at(path) == "Files"
    assert os.listdir(path.parent) == []


def test_the_file_of_a_killed_service_is_replaced(path: Path) -> None:
    with started(PROGRAM, "address", f"unix:{path}") as process:
        assert line(process) == "listening"
        assert product_at(path) == "Program"
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert path.is_socket()
    with serving(f"unix:{path}"):
        assert product_at(path) == "Files"


def test_a_service_is_not_replaced(path: Path) -> None:
    with serving(f"unix:{path}"):
        found = path.stat()
        with pytest.raises(OSError, match="in use: a service is listening there") as caught:
            fastvarlink.Server(f"unix:{path}", SERVICE)
        assert caught.value.errno == errno.EADDRINUSE
        assert caught.value.filename == str(path)
        assert os.path.samestat(found, path.stat())
        assert product_at(path) == "Files"


def test_a_service_that_hangs_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as listener, ExitStack() as waiting:
        listener.bind(str(path))
        listener.listen(0)
        failure = 0
        while failure == 0:
            client = waiting.enter_context(socket.socket(socket.AF_UNIX))
            client.setblocking(False)
            failure = client.connect_ex(str(path))
        assert failure == errno.EAGAIN
        with pytest.raises(OSError, match="a service is listening there"):
            fastvarlink.Server(f"unix:{path}", SERVICE)
        assert path.is_socket()


def test_a_socket_of_another_type_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        other.bind(str(path))
        with pytest.raises(OSError, match=r"cannot be found out .* \(Protocol wrong type"):
            fastvarlink.Server(f"unix:{path}", SERVICE)
        assert path.is_socket()


@pytest.mark.parametrize(
    "make",
    [
        lambda path: path.write_text("precious"),
        Path.mkdir,
        lambda path: path.symlink_to("nowhere"),
        os.mkfifo,
    ],
    ids=["file", "directory", "link", "pipe"],
)
def test_what_is_no_socket_is_left_alone(tmp_path: Path, make: Callable[[Path], Any]) -> None:
    path = tmp_path / "socket"
    make(path)
    found = path.lstat()
    with pytest.raises(OSError, match=r"in use: what is there is no socket") as caught:
        fastvarlink.Server(f"unix:{path}", SERVICE)
    assert caught.value.filename == str(path)
    assert os.path.samestat(found, path.lstat())


def test_a_directory_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="missing/socket"):
        fastvarlink.Server(f"unix:{tmp_path}/missing/socket", SERVICE)


# ---- two at once

RACER = """\
import sys
import fastvarlink
service = fastvarlink.Service()
for path in sys.stdin:
    try:
        server = fastvarlink.Server("unix:" + path.strip(), service)
    except OSError as failure:
        server = None
        print(failure, flush=True)
    else:
        print("listening", flush=True)
    # What it has made stays until it is told to end it.
    sys.stdin.readline()
    if server is not None:
        server.server_close()
    print("ended", flush=True)
"""


@pytest.mark.parametrize("stale", [True, False])
def test_of_several_starters_one_gets_the_path(tmp_path: Path, stale: bool) -> None:
    with ExitStack() as stack:
        racers = [stack.enter_context(started("-c", RACER)) for _ in range(4)]
        for number in range(40):
            path = tmp_path / str(number)
            if stale:
                leave_stale(path)
            for racer in racers:
                tell(racer, str(path))
            said = [line(racer) for racer in racers]
            assert said.count("listening") == 1, said
            assert all("in use" in text for text in said if text != "listening"), said
            # It is the one that listens whose file is at the path.
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(str(path))
            for racer in racers:
                tell(racer, "")
            assert {line(racer) for racer in racers} == {"ended"}
            assert not path.exists()


def test_a_socket_that_was_bound_and_replaced_does_not_listen(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with fastvarlink.Server(f"unix:{path}", SERVICE, bind_and_activate=False) as slow:
        slow.server_bind()
        with fastvarlink.Server(f"unix:{path}", SERVICE):
            with pytest.raises(OSError, match="another service has been started there") as caught:
                slow.server_activate()
            assert (caught.value.errno, caught.value.filename) == (errno.EADDRINUSE, str(path))
            slow.server_close()
            assert path.is_socket()


def test_two_servers_may_be_bound_before_both_listen(tmp_path: Path) -> None:
    first = fastvarlink.Server(f"unix:{tmp_path}/first", SERVICE, bind_and_activate=False)
    second = fastvarlink.Server(f"unix:{tmp_path}/second", SERVICE, bind_and_activate=False)
    with first, second:
        first.server_bind()
        second.server_bind()
        first.server_activate()
        second.server_activate()


def test_a_directory_that_others_have_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "PATIENCE", 0.01)
    path = tmp_path / "socket"
    leave_stale(path)
    locked = os.open(tmp_path, os.O_RDONLY)
    try:
        fcntl.flock(locked, fcntl.LOCK_EX)
        with serving(f"unix:{path}"):
            assert product_at(path) == "Files"
        assert not path.exists()
    finally:
        os.close(locked)


UNPRIVILEGED = """\
import os, sys
import fastvarlink
service = fastvarlink.Service()
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
path = sys.argv[1]
for _ in range(2):
    server = fastvarlink.Server(f"unix:{path};mode=0666", service)
    print(oct(os.stat(path).st_mode), end=" ")
    server.remove_file = None
    server.server_close()
with fastvarlink.Server(f"unix:{path}", service):
    pass
print(os.path.exists(path))
"""


@pytest.mark.parametrize("name", ["socket", "n" * 255])
def test_a_directory_that_cannot_be_read(name: str) -> None:
    # Other users cannot get at tmp_path.
    with tempfile.TemporaryDirectory() as top:
        os.chmod(top, 0o711)
        directory = Path(top, "directory")
        directory.mkdir()
        directory.chmod(0o333)
        assert run(UNPRIVILEGED, str(directory / name)) == "0o140666 0o140666 False"
        directory.chmod(0o700)
        assert os.listdir(directory) == []


# ---- modes


@pytest.fixture
def set_umask() -> Iterator[Callable[[int], int]]:
    before = os.umask(0o022)
    yield os.umask
    os.umask(before)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o777])
@pytest.mark.parametrize("mode", [0o600, 0o660, 0o666, 0o777, 0o000])
def test_the_mode_of_a_file(
    path: Path, set_umask: Callable[[int], int], monkeypatch: pytest.MonkeyPatch, umask: int, mode: int
) -> None:
    first: list[int] = []

    def bind(endpoint: socket.socket, where: str) -> None:
        real_bind(endpoint, where)
        first.append(stat.S_IMODE(os.stat(where).st_mode))

    real_bind = unixpath.bind
    monkeypatch.setattr(unixpath, "bind", bind)
    set_umask(umask)
    with fastvarlink.Server(f"unix:{path};mode={mode:04o}", SERVICE) as server:
        # It has never been open to more than it is now.
        assert first == [mode & ~umask]
        assert stat.S_IMODE(path.stat().st_mode) == mode
        assert server.mode == f"{mode:04o}"


def test_a_file_without_a_mode_goes_by_the_umask(tmp_path: Path, set_umask: Callable[[int], int]) -> None:
    set_umask(0o027)
    with fastvarlink.Server(f"unix:{tmp_path}/socket", SERVICE) as server:
        assert stat.S_IMODE(os.stat(server.server_address).st_mode) == 0o750
        assert server.mode is None


def test_the_mode_may_be_set_before_the_socket_is_bound(tmp_path: Path) -> None:
    with fastvarlink.Server(f"unix:{tmp_path}/socket", SERVICE, bind_and_activate=False) as server:
        server.mode = "0640"
        server.server_bind()
        assert stat.S_IMODE(os.stat(server.server_address).st_mode) == 0o640


@pytest.mark.parametrize("mode", ["", "rw", "0888", "1777", "-600", "+600", "0x1f", "6_0", " 600", "²"])
def test_a_mode_that_is_none(tmp_path: Path, mode: str) -> None:
    address = f"unix:{tmp_path}/socket;mode={mode}"
    with pytest.raises(AddressError) as caught:
        fastvarlink.Server(address, SERVICE)
    assert f"Invalid address '{address}': the mode '{mode}' must be" in str(caught.value)
    assert os.listdir(tmp_path) == []


# ---- who removes it

ENDING = """\
import gc, os, sys
import fastvarlink
way, path = sys.argv[1:]
server = fastvarlink.Server("unix:" + path, fastvarlink.Service())
if way == "child":
    child = os.fork()
    if child == 0:
        sys.exit()
    os.waitpid(child, 0)
    print(os.path.exists(path))
elif way == "closing child":
    child = os.fork()
    if child == 0:
        server.server_close()
        os._exit(0)
    os.waitpid(child, 0)
    print(os.path.exists(path))
elif way == "forgotten":
    del server
    gc.collect()
    print(os.path.exists(path))
"""


@pytest.mark.parametrize(
    ("way", "said"),
    [("end", ""), ("child", "True"), ("closing child", "True"), ("forgotten", "False")],
)
def test_the_file_goes_with_the_program_that_made_it(path: Path, way: str, said: str) -> None:
    assert run(ENDING, way, str(path)) == said
    assert os.listdir(path.parent) == []


def test_the_file_of_a_successor_stays(path: Path) -> None:
    with fastvarlink.Server(f"unix:{path}", SERVICE):
        path.unlink()
        leave_stale(path)
    assert path.is_socket()


def test_a_file_that_is_meant_to_stay(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with fastvarlink.Server(f"unix:{path}", SERVICE) as server:
        server.remove_file = None
    del server
    assert path.is_socket()


def test_a_server_that_was_never_bound_removes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    leave_stale(path)
    with fastvarlink.Server(f"unix:{path}", SERVICE, bind_and_activate=False) as server:
        assert server.remove_file == str(path)
    assert path.is_socket()


def test_the_working_directory_may_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with fastvarlink.Server("./socket", SERVICE) as server:
        assert server.server_address == "./socket"
        monkeypatch.chdir("/")
    assert os.listdir(tmp_path) == []
