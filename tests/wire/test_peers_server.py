"""Who calls our servers, and who may (rules S5, S7, S9), over raw sockets."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

import pytest

import fastvarlink

from .eventually import eventually
from .rawstream import PATIENCE, Pieces, RawStream, call

INTERFACE = "org.example.who"
TEXT = """\
interface org.example.who
method Who() -> (uid: ?int, gid: ?int, pid: ?int, groups: []int, host: ?string)
method Remember(text: string) -> (before: ?string)
method Cancelled() -> (cancelled: bool)
"""
WHO = call(f"{INTERFACE}.Who")
DENIED = {"error": "org.varlink.service.PermissionDenied"}


class Who:
    def Who(self, _context: fastvarlink.Context) -> dict[str, Any]:
        peer = _context.peer
        if peer.pid is not None and peer.pidfd is not None:
            assert not os.get_inheritable(peer.pidfd)
        host = peer.address[0] if isinstance(peer.address, tuple) else None
        found = {"uid": peer.uid, "gid": peer.gid, "pid": peer.pid, "groups": list(peer.groups), "host": host}
        return {name: value for name, value in found.items() if value is not None}

    def Remember(self, text: str, _context: fastvarlink.Context) -> dict[str, Any]:
        before = _context.state.get("text")
        _context.state["text"] = text
        return {"before": before} if before is not None else {}

    def Cancelled(self, _context: fastvarlink.Context) -> dict[str, Any]:
        return {"cancelled": _context.cancelled}


class Running:
    def __init__(self, address: str, limits: fastvarlink.Limits | None, **options: Any) -> None:
        service = fastvarlink.Service(**options)
        service.interface(TEXT)(Who)
        self.server = fastvarlink.ThreadingServer(address, service, limits=limits)
        bound = self.server.server_address
        self.address = f"tcp:{bound[0]}:{bound[1]}" if isinstance(bound, tuple) else address
        self._thread = threading.Thread(target=self.server.serve_forever, name="who server")
        self._thread.start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._thread.join(PATIENCE)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    running: list[Running] = []

    def begin(
        address: str | None = None, limits: fastvarlink.Limits | None = None, **options: Any
    ) -> Running:
        os.chmod(tmp_path, 0o755)
        running.append(Running(address or f"unix:{tmp_path}/who;mode=0666", limits, **options))
        running[-1].address = running[-1].address.partition(";")[0]
        return running[-1]

    yield begin
    for each in running:
        each.stop()


@pytest.mark.rule("S5")
def test_a_handler_knows_who_calls(start: Any, pieces: Pieces) -> None:
    with RawStream.connect(start().address, pieces) as stream:
        stream.send(WHO)
        assert stream.read_reply()["parameters"] == {
            "uid": os.getuid(), "gid": os.getgid(), "pid": os.getpid(), "groups": os.getgroups(),
        }  # fmt: skip
        # What is kept is the connection's.
        for text in ("one", "two"):
            stream.send(call(f"{INTERFACE}.Remember", {"text": text}))
        first, second = stream.read_replies(2)
        assert (first, second) == ({}, {"parameters": {"before": "one"}})
        stream.send(call(f"{INTERFACE}.Cancelled"))
        stream.end_writing()
        # It reads on, so that it is still there.
        assert stream.read_reply() == {"parameters": {"cancelled": False}}


@pytest.mark.rule("S5")
def test_on_tcp_only_the_host_is_known(start: Any, pieces: Pieces) -> None:
    with RawStream.connect(start("tcp:127.0.0.1:0").address, pieces) as stream:
        stream.send(WHO)
        assert stream.read_reply()["parameters"] == {"groups": [], "host": "127.0.0.1"}


def as_nobody(address: str, frame: bytes) -> bytes:
    """What another user gets for a call."""
    path = address.removeprefix("unix:")
    code = (
        "import os, socket, sys\n"
        "os.setgroups([12, 13]); os.setgid(65534); os.setuid(65534)\n"
        "s = socket.socket(socket.AF_UNIX); s.settimeout(10)\n"
        "s.connect(sys.argv[1])\n"
        "data = b''\n"
        "try:\n"
        "    s.sendall(bytes.fromhex(sys.argv[2]))\n"
        "    while not data.endswith(b'\\0') and (more := s.recv(4096)): data += more\n"
        "except (BrokenPipeError, ConnectionResetError): pass\n"
        "sys.stdout.buffer.write(data)\n"
    )
    return subprocess.run(
        [sys.executable, "-c", code, path, frame.hex()], capture_output=True, check=True, timeout=PATIENCE
    ).stdout


@pytest.fixture
def place() -> str:
    """A path that everybody can reach."""
    path = f"/tmp/fastvarlink-{os.getpid()}-{os.urandom(4).hex()}"
    return f"unix:{path};mode=0666"


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="Only root can be somebody else.")


@needs_root
@pytest.mark.rule("S5")
def test_another_user(start: Any, pieces: Pieces, place: str) -> None:
    answer = as_nobody(start(place).address, WHO)
    assert b'"uid":65534,"gid":65534' in answer
    assert b'"groups":[12,13]' in answer


@needs_root
@pytest.mark.rule("S5")
@pytest.mark.parametrize(
    ("allow", "us", "others"),
    [
        ("root", True, False),
        ("same-user", True, False),
        (("root", "same-user"), True, False),
        (lambda context: context.peer.uid == 65534 or context.method.endswith("GetInfo"), False, True),
    ],
)
def test_who_may_call(start: Any, pieces: Pieces, place: str, allow: Any, us: bool, others: bool) -> None:
    server = start(place, allow=allow)
    with RawStream.connect(server.address, pieces) as stream:
        stream.send(WHO)
        assert (stream.read_reply() == DENIED) is not us
        # The connection lives on.
        stream.send(call("org.varlink.service.GetInfo"))
        assert "parameters" in stream.read_reply()
    assert (b"PermissionDenied" in as_nobody(server.address, WHO)) is not others


@needs_root
@pytest.mark.rule("S5")
def test_who_may_connect(start: Any, pieces: Pieces, place: str) -> None:
    server = start(place, allow="same-user", refuse_connections=True)
    with RawStream.connect(server.address, pieces) as stream:
        stream.send(WHO)
        assert "parameters" in stream.read_reply()
    assert as_nobody(server.address, WHO) == b""


@pytest.mark.rule("S5")
def test_a_rule_that_breaks_lets_nobody_in(start: Any, pieces: Pieces) -> None:
    def broken(_context: Any) -> bool:
        raise RuntimeError("a secret of the service")

    with RawStream.connect(start(allow=broken).address, pieces) as stream:
        stream.send(WHO)
        assert stream.read_reply()["error"].endswith("InternalError")
    with pytest.raises(ValueError, match="'wheel' is nobody"):
        fastvarlink.Service(allow="wheel")  # type: ignore[arg-type]


@pytest.mark.rule("S7")
@pytest.mark.parametrize("limit", ["max_connections", "max_connections_per_peer"])
@pytest.mark.parametrize("address", [None, "tcp:127.0.0.1:0"])
def test_one_connection_too_many_is_closed(
    start: Any, pieces: Pieces, limit: str, address: str | None
) -> None:
    server = start(address, fastvarlink.Limits(**{limit: 3}))
    with ExitStack() as undo:
        streams = [undo.enter_context(RawStream.connect(server.address, pieces)) for _ in range(3)]
        for stream in streams:
            stream.send(WHO)
            assert "parameters" in stream.read_reply()
        with RawStream.connect(server.address, pieces) as late:
            late.expect_end()
        for stream in streams:
            stream.send(WHO)
            assert "parameters" in stream.read_reply()
        streams[0].close()
        eventually(lambda: len(server.server._connections) == 2, "the server has noticed")
        again = undo.enter_context(RawStream.connect(server.address, pieces))
        again.send(WHO)
        assert "parameters" in again.read_reply()


@pytest.mark.rule("S9")
def test_a_peer_that_goes_does_not_kill(tmp_path: Path, pieces: Pieces) -> None:
    """Also where nobody ignores SIGPIPE, and a timer interrupts whatever it can."""
    program = Path(__file__).parents[1] / "server" / "lifecycle_program.py"
    code = (
        "import runpy, signal, sys\n"
        "signal.signal(signal.SIGPIPE, signal.SIG_DFL)\n"
        "signal.signal(signal.SIGALRM, lambda *_: None)\n"
        "signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)\n"
        "sys.argv = sys.argv[1:]\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')\n"
        # Python has no handlers any more while it ends.
        "signal.setitimer(signal.ITIMER_REAL, 0)\n"
    )
    address = f"unix:{tmp_path}/socket"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(program), "{}", address], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        ping = call("org.example.lifecycle.Ping", {"text": "x"})
        for _ in range(10):
            with RawStream.connect(address, pieces) as stream:
                stream.send(ping * 20)
        with RawStream.connect(address, pieces) as stream:
            for i in range(100):
                stream.send(call("org.example.lifecycle.Ping", {"text": str(i)}))
                assert stream.read_reply() == {"parameters": {"text": str(i)}}
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0


@contextmanager
def forking(code: str, address: str) -> Iterator[tuple[IO[str], list[str]]]:
    """A program whose handlers fork: what it prints, and its complaints once it has been ended."""
    complaints: list[str] = []
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", code, address],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            assert process.stdout.readline() == "ready\n"
            yield process.stdout, complaints
        finally:
            process.kill()
        complaints.extend(process.stderr)


@pytest.mark.rule("S9")
def test_a_handler_that_forks(tmp_path: Path, pieces: Pieces) -> None:
    """Its child must not go on as the server: it ends, and says why; the parent serves on."""
    code = (
        "import os, sys, threading\n"
        "import fastvarlink\n"
        "service = fastvarlink.Service()\n"
        "@service.interface('interface a.b\\nmethod Fork() -> (pid: int)\\n')\n"
        "class Handlers:\n"
        "    def Fork(self):\n"
        "        return {'pid': os.fork()}\n"
        "server = fastvarlink.Server(sys.argv[1], service)\n"
        "print('ready', flush=True)\n"
        "server.serve_forever()\n"
        "print('over', os.getpid(), flush=True)\n"
    )
    address = f"unix:{tmp_path}/socket"
    with forking(code, address) as (said, complaints), RawStream.connect(address, pieces) as stream:
        stream.send(call("a.b.Fork"))
        child = stream.read_reply()["parameters"]["pid"]
        assert child > 0
        assert said.readline() == f"over {child}\n"
        stream.send(call("org.varlink.service.GetInfo"))
        assert "parameters" in stream.read_reply()
    assert any("A handler has forked" in line for line in complaints)


def has_ended(pid: int) -> bool:
    """True for a process that is gone, or that only its parent has still to ask for."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.mark.rule("S9")
@pytest.mark.parametrize("oneway", [False, True])
@pytest.mark.parametrize("calls", [1, 300])
def test_a_handler_that_forks_on_a_thread(tmp_path: Path, pieces: Pieces, oneway: bool, calls: int) -> None:
    """Likewise where several threads serve, also after so many calls that one waits for them alone."""
    code = (
        "import os, sys\n"
        "import fastvarlink\n"
        "service = fastvarlink.Service()\n"
        "@service.interface('interface a.b\\nmethod Fork() -> ()\\n')\n"
        "class Handlers:\n"
        "    def Fork(self):\n"
        "        child = os.fork()\n"
        "        if child:\n"
        "            print(child, flush=True)\n"
        "server = fastvarlink.ThreadingServer(sys.argv[1], service)\n"
        "print('ready', flush=True)\n"
        "server.serve_forever()\n"
    )
    address = f"unix:{tmp_path}/socket"
    with forking(code, address) as (said, complaints), RawStream.connect(address, pieces) as stream:
        for _ in range(calls):
            stream.send(call("org.varlink.service.GetInfo"))
            assert "parameters" in stream.read_reply()
        stream.send(call("a.b.Fork", **({"oneway": True} if oneway else {})))
        if not oneway:
            assert stream.read_reply() == {}
        child = int(said.readline())
        eventually(lambda: has_ended(child), "the child has ended")
        stream.send(call("org.varlink.service.GetInfo"))
        assert "parameters" in stream.read_reply()
    assert any("fork" in line for line in complaints)


def test_peers_are_described() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        peer = fastvarlink.Peer(ours)
        assert repr(peer) == f"<Peer uid={os.getuid()} gid={os.getgid()} pid={os.getpid()}>"
        peer.close()
