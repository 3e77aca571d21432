"""serve(): a service as a process, from its start to its exit status."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import fastvarlink
from fastvarlink.error import AddressError
from wire.rawstream import PATIENCE, RawStream, call

PROGRAM = Path(__file__).parent / "lifecycle_program.py"
INTERFACE = "org.example.lifecycle"

Process = subprocess.Popen[str]
Start = Callable[..., Process]


@pytest.fixture(params=["threads", "loop"])
def kind(request: pytest.FixtureRequest) -> str:
    """Whether its handlers are plain functions, or coroutines."""
    chosen: str = request.param
    return chosen


@pytest.fixture
def start(tmp_path: Path, kind: str) -> Iterator[Start]:
    """Start the program: its addresses, then options of serve(); environment= adds variables."""
    processes: list[Process] = []

    def begin(
        *addresses: str,
        environment: dict[str, str] | None = None,
        pass_fds: tuple[int, ...] = (),
        ready: bool = True,
        **options: Any,
    ) -> Process:
        process = subprocess.Popen(
            [sys.executable, str(PROGRAM), json.dumps(options), *addresses],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "LIFECYCLE": kind, **(environment or {})},
            pass_fds=pass_fds,
        )
        processes.append(process)
        if ready:
            assert told(process) == "ready"
        return process

    yield begin
    for process in processes:
        process.kill()
        process.communicate()


def told(process: Process) -> str:
    assert process.stdout is not None
    return process.stdout.readline().removesuffix("\n")


def ended(process: Process) -> int:
    """Its exit status, once it has ended."""
    return process.wait(PATIENCE)


@pytest.fixture
def address(tmp_path: Path) -> str:
    return f"unix:{tmp_path}/socket"


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    path = tmp_path / "gate"
    os.mkfifo(path)
    return path


def ping(stream: RawStream, text: str = "x") -> None:
    stream.send(call(f"{INTERFACE}.Ping", {"text": text}))
    assert stream.read_reply() == {"parameters": {"text": text}}


def test_several_addresses(start: Start, tmp_path: Path) -> None:
    addresses = [f"unix:{tmp_path}/one", f"unix:{tmp_path}/two;mode=0600", f"unix:@{tmp_path}"]
    process = start(*addresses)
    for path in (f"{tmp_path}/one", f"{tmp_path}/two", f"\0{tmp_path}"):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(path)
            ping(RawStream(connection, "whole"))
    process.terminate()
    assert ended(process) == 0
    assert told(process) == "returned"
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_calls_finish(start: Start, address: str, gate: Path, number: int) -> None:
    process = start(address)
    with RawStream.connect(address) as held, RawStream.connect(address) as idle:
        ping(idle)
        held.send(
            call(f"{INTERFACE}.Hold", {"gate": str(gate)}) + call(f"{INTERFACE}.Ping", {"text": "queued"})
        )
        assert told(process) == "held"
        process.send_signal(number)
        idle.expect_end()
        gate.write_text("released")
        assert held.read_replies(2) == [{"parameters": {"text": text}} for text in ("released", "queued")]
        held.expect_end()
    assert ended(process) == 0
    assert told(process) == "returned"


def test_nobody_connects_while_it_ends(start: Start, address: str, gate: Path) -> None:
    process = start(address)
    with RawStream.connect(address) as held, RawStream.connect(address) as idle:
        ping(idle)
        held.send(call(f"{INTERFACE}.Hold", {"gate": str(gate)}))
        assert told(process) == "held"
        process.terminate()
        idle.expect_end()
        # It may be in the queue of the socket still; it is never answered.
        late = None
        try:
            late = RawStream.connect(address)
            late.send(call(f"{INTERFACE}.Ping", {"text": "late"}))
        except ConnectionRefusedError:
            pass
        gate.write_text("released")
        assert held.read_reply() == {"parameters": {"text": "released"}}
        if late is not None:
            late.expect_end()
            late.close()
    assert ended(process) == 0


def test_a_stream_ends_with_its_last_reply(start: Start, address: str) -> None:
    process = start(address)
    with RawStream.connect(address) as stream:
        stream.send(call(f"{INTERFACE}.Follow", {"stubborn": False}, more=True))
        assert stream.read_reply()["continues"]
        process.terminate()
        while (reply := stream.read_reply()).get("continues"):
            pass
        assert reply == {"parameters": {"i": 0}}
        stream.expect_end()
    assert told(process) == "left"
    assert ended(process) == 0


def test_what_does_not_end_is_cut_off(start: Start, address: str) -> None:
    process = start(address, drain_time=0.2)
    with RawStream.connect(address) as stream:
        stream.send(call(f"{INTERFACE}.Follow", {"stubborn": True}, more=True))
        assert stream.read_reply()["continues"]
        process.terminate()
        assert told(process) == "left"
        assert ended(process) == 0


def test_an_upgraded_connection_is_cut_off(start: Start, address: str) -> None:
    process = start(address, drain_time=0.2)
    with fastvarlink.Client(address) as client, client.open(INTERFACE) as handler:
        _, connection = handler.Shout(_upgrade=True)
        with connection:
            connection.sendall(b"x")
            assert connection.recv(10) == b"X"
            process.terminate()
            assert connection.recv(10) == b""
    assert ended(process) == 0


def test_a_second_signal_ends_it_at_once(start: Start, address: str, gate: Path, tmp_path: Path) -> None:
    process = start(address)
    with RawStream.connect(address) as held, RawStream.connect(address) as idle:
        ping(idle)
        held.send(call(f"{INTERFACE}.Hold", {"gate": str(gate)}))
        assert told(process) == "held"
        process.terminate()
        idle.expect_end()
        process.terminate()
        assert ended(process) == -signal.SIGTERM
    assert os.listdir(tmp_path) == ["gate"]


def test_an_idle_service_ends(start: Start, address: str) -> None:
    process = start(address, exit_idle_time=1.0)
    with RawStream.connect(address) as stream:
        ping(stream)
        # Longer than it would wait without a connection.
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(2.0)
        ping(stream)
    assert ended(process) == 0
    assert told(process) == "returned"


def passed(sockets: list[socket.socket], start: Start, **options: Any) -> Process:
    """Start the program with sockets as a service manager does it."""
    starter = (
        "import os, sys\n"
        "fds = [int(fd) for fd in sys.argv[1].split(',')]\n"
        "for at, fd in enumerate(fds, 3):\n"
        "    os.dup2(fd, at)\n"
        "os.environ.update(LISTEN_FDS=str(len(fds)), LISTEN_PID=str(os.getpid()),\n"
        "                  LISTEN_FDNAMES=':'.join(['varlink'] * len(fds)))\n"
        "os.execv(sys.executable, [sys.executable, *sys.argv[2:]])\n"
    )
    # Out of the way of those that the starter moves them to.
    fds = [os.dup(each.fileno()) for each in sockets]
    high = [socket.socket(fileno=os.dup2(fd, 200 + at)) for at, fd in enumerate(fds)]
    for fd in fds:
        os.close(fd)
    try:
        numbers = ",".join(str(each.fileno()) for each in high)
        process = subprocess.Popen(
            [sys.executable, "-c", starter, numbers, str(PROGRAM), json.dumps(options)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            pass_fds=[each.fileno() for each in high],
        )
    finally:
        for each in high:
            each.close()
    return process


def test_listening_and_connected_sockets_are_passed(start: Start, tmp_path: Path) -> None:
    ours, theirs = socket.socketpair()
    # As clients leave it that start a service for themselves.
    theirs.setblocking(False)
    with socket.socket(socket.AF_UNIX) as listener, ours:
        listener.bind(f"{tmp_path}/socket")
        listener.listen()
        process = passed([listener, theirs], start)
        theirs.close()
        with process:
            assert told(process) == "ready"
            ping(RawStream(ours, "whole"))
            with RawStream.connect(f"unix:{tmp_path}/socket") as stream:
                ping(stream)
            process.terminate()
            assert ended(process) == 0
    # It belongs to whoever has made it.
    assert os.listdir(tmp_path) == ["socket"]


def test_it_ends_with_the_last_passed_connection(start: Start) -> None:
    pairs = [socket.socketpair() for _ in range(2)]
    process = passed([theirs for _, theirs in pairs], start)
    with process:
        assert told(process) == "ready"
        for ours, theirs in pairs:
            theirs.close()
            with ours:
                ping(RawStream(ours, "whole"))
        assert ended(process) == 0
        assert told(process) == "returned"


def test_an_activated_service_leaves_who_comes_late_to_the_next(start: Start, tmp_path: Path) -> None:
    """Whenever a call is made in the life of one, it or its successor answers (rule S8)."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{tmp_path}/socket")
        listener.listen(50)
        stop = threading.Event()
        instances = 0

        def manage() -> None:
            nonlocal instances
            while not stop.is_set():
                instances += 1
                with passed([listener], start, exit_idle_time=0.001) as process:
                    assert ended(process) == 0

        manager = threading.Thread(target=manage)
        manager.start()
        try:
            for i in range(24):
                with RawStream.connect(f"unix:{tmp_path}/socket") as stream:
                    ping(stream, str(i))
                # So that the next one comes before, while and after it is decided.
                time.sleep(i % 6 * 0.0004)
        finally:
            stop.set()
            manager.join(PATIENCE)
        assert not manager.is_alive()
        assert instances > 1


def test_an_address_in_the_environment(start: Start, tmp_path: Path) -> None:
    process = start("unix:/nowhere", environment={"SYSTEMD_VARLINK_LISTEN": f"{tmp_path}/socket"})
    with RawStream.connect(f"unix:{tmp_path}/socket") as stream:
        ping(stream)
    process.terminate()
    assert ended(process) == 0


def test_standard_streams(start: Start) -> None:
    # What the program prints does not get between the replies.
    process = start("-", ready=False)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(call(f"{INTERFACE}.Ping", {"text": "one"}).decode())
    process.stdin.flush()
    expected = '{"parameters":{"text":"one"}}\0'
    assert process.stdout.read(len(expected)) == expected
    process.stdin.close()
    process.stdin = None
    assert ended(process) == 0
    assert process.stdout.read() == ""


def test_standard_streams_and_a_signal(start: Start) -> None:
    process = start("-", ready=False)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(call(f"{INTERFACE}.Ping", {"text": "one"}).decode())
    process.stdin.flush()
    assert process.stdout.read(1) == "{"
    process.terminate()
    assert ended(process) == 0


def test_the_manager_is_told(start: Start, tmp_path: Path, address: str) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(f"{tmp_path}/notify")
        manager.settimeout(PATIENCE)
        process = start(
            address, environment={"NOTIFY_SOCKET": f"{tmp_path}/notify", "WATCHDOG_USEC": "100000"}
        )
        received = [manager.recv(4096).decode() for _ in range(6)]
        assert received.count("READY=1") == 1
        assert received.count("WATCHDOG=1") == 5
        process.terminate()
        while (message := manager.recv(4096).decode()) == "WATCHDOG=1":
            pass
        assert message == "STOPPING=1"
        assert ended(process) == 0


def test_there_must_be_something_to_listen_at() -> None:
    with pytest.raises(AddressError, match="nothing to listen at"):
        fastvarlink.serve(fastvarlink.Service())
    with pytest.raises(AddressError, match="nowhere"):
        fastvarlink.serve(fastvarlink.Service(), "nowhere")


def test_an_address_that_is_taken_leaves_no_other_open(tmp_path: Path, address: str) -> None:
    with fastvarlink.Server(address, fastvarlink.Service()):
        with pytest.raises(OSError, match="in use"):
            fastvarlink.serve(fastvarlink.Service(), f"unix:{tmp_path}/first", address)
        assert os.listdir(tmp_path) == ["socket"]


def test_in_a_thread_signals_are_left_alone(address: str) -> None:
    before = signal.getsignal(signal.SIGTERM)
    ready = threading.Event()
    thread = threading.Thread(
        target=fastvarlink.serve,
        args=(fastvarlink.Service(), address),
        kwargs={"exit_idle_time": 0.05, "ready": ready.set},
    )
    thread.start()
    assert ready.wait(PATIENCE)
    assert signal.getsignal(signal.SIGTERM) is before
    thread.join(PATIENCE)
    assert not thread.is_alive()
