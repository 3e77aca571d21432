"""S1 to S4 and S6: where a service and its clients meet, for both of them."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import socket
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

import fastvarlink
from fastvarlink import aio, marks, unixpath
from server.programs import PASSING, PROGRAM, environment, line, started

from .rawstream import PATIENCE, Pieces, RawStream, call, frame
from .sample import DESCRIPTION, INTERFACE, RunningServer
from .scripted import ScriptedPeer, answers

PING = call(f"{INTERFACE}.Ping", {"text": "here"})
PONG = {"parameters": {"text": "here"}}
INFO = call("org.varlink.service.GetInfo")


def raw(sockaddr: Any, pieces: Pieces) -> RawStream:
    """A connection to what a socket is bound to, whatever that is."""
    if isinstance(sockaddr, tuple):
        return RawStream(socket.create_connection(sockaddr[:2], PATIENCE), pieces)
    endpoint = socket.socket(socket.AF_UNIX)
    endpoint.settimeout(PATIENCE)
    unixpath.connect(endpoint, sockaddr)
    return RawStream(endpoint, pieces)


def product(stream: RawStream) -> str:
    """The product of the service at the other end."""
    stream.send(INFO)
    found: str = stream.read_reply()["parameters"]["product"]
    return found


@pytest.fixture
def within(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory that is also the working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


# ---- S1: addresses. The braces stand for a directory, a fresh name, a port.

UNIX = [
    "unix:{directory}/place",
    "unix://{directory}/place",
    "unix:./place",
    "{directory}/place",
    "./place",
    "unix:@{name}",
    "unix:{directory}/place;later=1",
    "unix:@{name};mode=x;later",
]
TCP = [
    "tcp:127.0.0.1:{port}",
    "tcp:localhost:{port}",
    "tcp://127.0.0.1:{port}",
    "tcp:127.0.0.1:{port};later=1",
    "tcp:[::1]:{port}",
    "tcp://[::1]:{port}",
]
BAD = {
    "": "must begin with",
    "place": "must begin with",
    "http://example.com/place": "must begin with",
    "unix:": "the path of the socket is missing",
    "unix:@": "the path of the socket is missing",
    "tcp:localhost": "must read 'tcp:HOST:PORT'",
    "tcp:localhost:": "with a port below 65536",
    "tcp:localhost:65536": "with a port below 65536",
    "tcp:localhost:http": "with a port below 65536",
    "tcp:::1:80": "needs brackets",
    "tcp:[::1:80": "brackets around the host do not match",
}


@pytest.mark.rule("S1")
@pytest.mark.parametrize("form", [*UNIX, *TCP])
def test_a_server_at_an_address(
    start_server: Callable[..., RunningServer], within: Path, pieces: Pieces, form: str
) -> None:
    name = f"fastvarlink-{uuid.uuid4().hex}"
    running = start_server(address=form.format(directory=within, name=name, port=0))
    bound = running.server.server_address
    if form in TCP:
        assert bound[0] in ("127.0.0.1", "::1")
    elif "@" in form:
        bound = "\0" + bound[1:]
        assert bound == f"\0{name}"
    else:
        assert (within / "place").is_socket()
    with raw(bound, pieces) as stream:
        stream.send(PING)
        assert stream.read_reply() == PONG


@pytest.fixture
def listen(tmp_path: Path, pieces: Pieces) -> Iterator[Callable[..., tuple[ScriptedPeer, Any]]]:
    """Have a peer that answers one call listen; returns it with where."""
    with ExitStack() as stack:

        def start(family: int, sockaddr: Any) -> tuple[ScriptedPeer, Any]:
            listener = socket.socket(family)
            if isinstance(sockaddr, str):
                unixpath.bind(listener, sockaddr)
            else:
                listener.bind(sockaddr)
            peer = ScriptedPeer(tmp_path, pieces, listener)
            stack.callback(peer.close)
            peer.start(answers(frame(PONG)))
            return peer, listener.getsockname()

        yield start


def ping(address: str) -> Any:
    with fastvarlink.Client(address) as client:
        client.add_interface(fastvarlink.Interface(DESCRIPTION))
        with client.open(INTERFACE) as handler:
            return handler.Ping("here")


async def ping_in_a_task(address: str) -> Any:
    async with aio.Client(address) as client:
        client.add_interface(fastvarlink.Interface(DESCRIPTION))
        return await (await client.open(INTERFACE)).Ping("here")


@pytest.mark.rule("S1")
@pytest.mark.parametrize("form", [*UNIX, *TCP])
def test_a_client_of_an_address(
    listen: Callable[..., tuple[ScriptedPeer, Any]], within: Path, form: str
) -> None:
    name = f"fastvarlink-{uuid.uuid4().hex}"
    if form in UNIX:
        peer, _ = listen(socket.AF_UNIX, f"\0{name}" if "@" in form else f"{within}/place")
        port = 0
    else:
        family, host = (socket.AF_INET6, "::1") if "[" in form else (socket.AF_INET, "127.0.0.1")
        peer, sockaddr = listen(family, (host, 0))
        port = sockaddr[1]
    assert ping(form.format(directory=within, name=name, port=port)) == {"text": "here"}
    peer.finish()


@pytest.mark.parametrize(
    "use",
    [lambda a: fastvarlink.Server(a, fastvarlink.Service()), fastvarlink.Client.new_with_address, aio.Client],
    ids=["server", "client", "asyncio"],
)
@pytest.mark.parametrize(("address", "fault"), BAD.items())
def test_an_address_that_is_none(use: Callable[[str], Any], address: str, fault: str) -> None:
    with pytest.raises(ConnectionError) as caught:
        use(address)
    assert f"Invalid address '{address}': " in str(caught.value)
    assert fault in str(caught.value)


# ---- S2: passed sockets


@pytest.mark.rule("S2")
def test_a_program_that_is_passed_a_listening_socket(tmp_path: Path, pieces: Pieces) -> None:
    path = str(tmp_path / "socket")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        with started(
            "-c",
            PASSING,
            str(listener.fileno()),
            PROGRAM,
            "address",
            "unix:@not-this-one",
            env=environment(LISTEN_FDS="1", LISTEN_FDNAMES="varlink"),
            pass_fds=(listener.fileno(),),
        ) as program:
            assert line(program) == "listening"
            with raw(path, pieces) as stream:
                assert product(stream) == "Program"
    # It has not been made by the program.
    assert os.path.exists(path)


@pytest.mark.rule("S2")
def test_a_program_that_is_passed_a_connection(pieces: Pieces) -> None:
    ours, theirs = socket.socketpair()
    with (
        theirs,
        RawStream(ours, pieces) as stream,
        started(
            "-c",
            PASSING,
            str(theirs.fileno()),
            PROGRAM,
            "passed",
            env=environment(LISTEN_FDS="1", LISTEN_FDNAMES="varlink"),
            pass_fds=(theirs.fileno(),),
        ) as program,
    ):
        theirs.close()
        assert product(stream) == "Program"
        assert product(stream) == "Program"
        stream.end_writing()
        stream.expect_end()
        assert program.wait(PATIENCE) == 0


@pytest.mark.rule("S2")
def test_variables_of_another_process_are_ignored(tmp_path: Path, pieces: Pieces) -> None:
    address = f"unix:{tmp_path}/socket"
    with started(PROGRAM, "address", address, env=environment(LISTEN_FDS="1", LISTEN_PID="1")) as program:
        assert line(program) == "listening"
        with RawStream.connect(address, pieces) as stream:
            assert product(stream) == "Program"


ACTIVATED = """\
import os, socket, sys
assert (os.environ["LISTEN_FDS"], os.environ["LISTEN_FDNAMES"]) == ("1", "varlink")
assert os.environ["LISTEN_PID"] == str(os.getpid())
pieces, reply = sys.argv[1], sys.argv[2].encode() + b"\\0"
connection, _ = socket.socket(fileno=3).accept()
while connection.recv(1) != b"\\0":
    pass
for at in range(0, len(reply), len(reply) if pieces == "whole" else 1):
    connection.sendall(reply[at:] if pieces == "whole" else reply[at:at + 1])
connection.recv(1)
"""


@pytest.mark.rule("S2")
def test_a_client_passes_a_listening_socket(pieces: Pieces) -> None:
    argv = [sys.executable, "-c", ACTIVATED, pieces, json.dumps(PONG)]
    with fastvarlink.Client.new_with_activate(argv) as client:
        client.add_interface(fastvarlink.Interface(DESCRIPTION))
        with client.open(INTERFACE) as handler:
            assert handler.Ping("here") == {"text": "here"}


# ---- S3: the environment's address


@pytest.mark.rule("S3")
def test_an_address_in_the_environment(tmp_path: Path, pieces: Pieces) -> None:
    path = f"{tmp_path}/socket"
    with started(PROGRAM, "environment", env=environment(SYSTEMD_VARLINK_LISTEN=path)) as program:
        assert line(program) == "listening"
        with raw(path, pieces) as stream:
            assert product(stream) == "Program"


@pytest.mark.rule("S3")
def test_standard_input_and_output(pieces: Pieces) -> None:
    with started(PROGRAM, "streams") as program:
        assert program.stdin is not None
        assert program.stdout is not None
        for _ in range(2):
            for at in range(0, len(INFO), len(INFO) if pieces == "whole" else 1):
                program.stdin.write(INFO[at:] if pieces == "whole" else INFO[at : at + 1])
                program.stdin.flush()
            reply = b""
            while not reply.endswith(b"\0"):
                reply += os.read(program.stdout.fileno(), 1)
            assert json.loads(reply[:-1])["parameters"]["product"] == "Program"
        program.stdin.close()
        assert program.stdout.read() == b""


# ---- S4: files

PATHS = {"short": "place", "long": "d" * 120 + "/place", "longest name": "n" * 255}


@pytest.fixture(params=PATHS)
def path(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    found = tmp_path / PATHS[request.param]
    found.parent.mkdir(exist_ok=True)
    return str(found)


@pytest.mark.rule("S4")
def test_a_server_in_the_place_of_one_that_has_gone(
    start_server: Callable[..., RunningServer], path: str, pieces: Pieces
) -> None:
    with socket.socket(socket.AF_UNIX) as gone:
        unixpath.bind(gone, path)
        gone.listen()
    running = start_server(address=f"unix:{path};mode=0620")
    assert running.server.server_address == path
    assert os.stat(path).st_mode & 0o777 == 0o620
    with raw(path, pieces) as stream:
        stream.send(PING)
        assert stream.read_reply() == PONG
        # One more does not get in the way.
        with pytest.raises(OSError, match="a service is listening there") as caught:
            start_server(address=f"unix:{path}")
        assert (caught.value.errno, caught.value.filename) == (errno.EADDRINUSE, path)
        stream.send(PING)
        assert stream.read_reply() == PONG
    with raw(path, pieces) as stream:
        stream.send(PING)
        assert stream.read_reply() == PONG
    running.stop()
    assert not os.path.exists(path)


@pytest.mark.rule("S4")
def test_a_client_of_a_path_of_any_length(listen: Callable[..., tuple[ScriptedPeer, Any]], path: str) -> None:
    peer, _ = listen(socket.AF_UNIX, path)
    assert ping(f"unix:{path}") == {"text": "here"}
    peer.finish()
    # Nobody answers there any more, nobody has ever done so here.
    peer.close()
    for where, failure in ((path, ConnectionRefusedError), (path[:-1], FileNotFoundError)):
        with pytest.raises(failure):
            ping(f"unix:{where}")


@pytest.mark.rule("S4")
def test_a_task_that_calls_at_a_path_of_any_length(
    listen: Callable[..., tuple[ScriptedPeer, Any]], path: str
) -> None:
    peer, _ = listen(socket.AF_UNIX, path)
    assert asyncio.run(ping_in_a_task(f"unix:{path}")) == {"text": "here"}
    peer.finish()


# ---- S6: marks

Marked = list[tuple[str, bytes]]


@pytest.fixture
def marked(monkeypatch: pytest.MonkeyPatch) -> Marked:
    """What has been marked how, in the place of a kernel that allows it: sockets by the path they have."""
    found: Marked = []

    def setxattr(what: int | str, attribute: str, value: bytes, *, follow_symlinks: bool = True) -> None:
        assert attribute == "user.varlink"
        if isinstance(what, str):
            found.append((what, value))
            return
        endpoint = socket.socket(fileno=os.dup(what))
        with endpoint:
            try:
                found.append((f"to {endpoint.getpeername()}", value))
            except OSError:
                found.append((f"at {endpoint.getsockname()}", value))

    monkeypatch.setattr(marks, "_refused", set())
    monkeypatch.setattr(os, "setxattr", setxattr)
    return found


@pytest.mark.rule("S6")
def test_the_marks_of_a_server(
    marked: Marked,
    start_server: Callable[..., RunningServer],
    tmp_path: Path,
    pieces: Pieces,
) -> None:
    path = f"{tmp_path}/place"
    start_server(address=f"unix:{path}")
    assert sorted(marked) == [(path, b"entrypoint"), (f"at {path}", b"listen")]
    with raw(path, pieces) as stream:
        stream.send(PING)
        assert stream.read_reply() == PONG
    assert marked[2:] == [("to ", b"server")]


@pytest.mark.rule("S6")
@pytest.mark.parametrize("kind", ["blocking", "asyncio"])
def test_the_mark_of_a_client(
    marked: Marked,
    listen: Callable[..., tuple[ScriptedPeer, Any]],
    tmp_path: Path,
    kind: str,
) -> None:
    path = f"{tmp_path}/place"
    peer, _ = listen(socket.AF_UNIX, path)
    if kind == "blocking":
        assert ping(f"unix:{path}") == {"text": "here"}
    else:
        assert asyncio.run(ping_in_a_task(f"unix:{path}")) == {"text": "here"}
    peer.finish()
    assert marked == [(f"to {path}", b"client")]


@pytest.mark.rule("S6")
def test_calls_where_the_kernel_has_no_marks(
    monkeypatch: pytest.MonkeyPatch,
    start_server: Callable[..., RunningServer],
    tmp_path: Path,
    pieces: Pieces,
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(marks, "_refused", set())
    monkeypatch.setattr(os, "setxattr", refuse)
    running = start_server(address=f"unix:{tmp_path}/place")
    with raw(f"{tmp_path}/place", pieces) as stream:
        stream.send(PING)
        assert stream.read_reply() == PONG
    assert ping(f"unix:{tmp_path}/place") == {"text": "here"}
    assert running.server.fileno() > 0
