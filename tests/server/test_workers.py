"""serve() with several workers, as processes: who serves, who is replaced, how all end."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

import fastvarlink
from fastvarlink.error import AddressError
from wire.eventually import eventually
from wire.rawstream import PATIENCE, RawStream, call

from .callers import Callers

PROGRAM = Path(__file__).parent / "workers_program.py"
INTERFACE = "org.example.workers"
PID = call(f"{INTERFACE}.Pid")
TEXT = call(f"{INTERFACE}.Text")


class Program:
    """The program, with its lines of output and what it logs."""

    def __init__(self, place: Path, arguments: list[str], **options: Any) -> None:
        self._log = place / f"log{len(os.listdir(place))}"
        with self._log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                **options,
            )

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().removesuffix("\n")

    def ended(self) -> int:
        return self.process.wait(PATIENCE)

    @property
    def log(self) -> str:
        return self._log.read_text()

    def logged(self, text: str) -> None:
        eventually(lambda: text in self.log, f"the log says {text!r}")

    def children(self) -> set[int]:
        pid = self.process.pid
        return {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}

    def end(self) -> None:
        try:
            children = self.children()
        except OSError:
            children = set()
        self.process.kill()
        for child in children:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        self.process.communicate()


Start = Callable[..., Program]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where the sockets are."""
    path = tmp_path / "sockets"
    path.mkdir()
    return path


@pytest.fixture
def address(place: Path) -> str:
    return f"unix:{place}/socket"


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start the program: its addresses, then options of serve()."""
    programs: list[Program] = []

    def begin(
        *addresses: str,
        workers: int = 2,
        constants: dict[str, float] | None = None,
        code: Path | None = None,
        environment: dict[str, str] | None = None,
        ready: bool = True,
        **options: Any,
    ) -> Program:
        given = json.dumps([options | {"workers": workers}, constants or {}, str(code) if code else None])
        program = Program(
            tmp_path, [str(PROGRAM), given, *addresses], env={**os.environ, **(environment or {})}
        )
        programs.append(program)
        if ready:
            assert program.line() == "ready", program.log
        return program

    yield begin
    for program in programs:
        program.end()


def pid_of(stream: RawStream) -> int:
    stream.send(PID)
    pid: int = stream.read_reply()["parameters"]["pid"]
    return pid


def alive(pid: int) -> bool:
    """True for a process that has not ended; one that nobody waits for has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def stop(pid: int) -> None:
    """Have a process do nothing more."""
    os.kill(pid, signal.SIGSTOP)

    def stopped(task: Path) -> bool:
        return task.joinpath("stat").read_text().rpartition(")")[2].split()[0] == "T"

    # One thread takes the signal, and the others run on until that has told them.
    eventually(lambda: all(map(stopped, Path(f"/proc/{pid}/task").iterdir())), "it has stopped")


def burst(address: str, count: int) -> Counter[int]:
    """How many of so many connections each process serves."""
    streams = [RawStream.connect(address) for _ in range(count)]
    try:
        for stream in streams:
            stream.send(PID)
        return Counter(stream.read_reply()["parameters"]["pid"] for stream in streams)
    finally:
        for stream in streams:
            stream.close()


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    path = tmp_path / "gate"
    os.mkfifo(path)
    return path


def hold(program: Program, stream: RawStream, gate: Path) -> None:
    stream.send(call(f"{INTERFACE}.Hold", {"gate": str(gate)}))
    assert program.line() == "held"


# ---- serving


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_workers_serve_and_a_signal_ends_all(start: Start, place: Path, number: int) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    addresses = [f"unix:{place}/socket", f"tcp:127.0.0.1:{port}"]
    program = start(*addresses, workers=3)
    for address in addresses:
        eventually(lambda address=address: len(burst(address, 9)) == 3, "all three have served")
        assert set(burst(address, 9)) <= program.children()
    program.process.send_signal(number)
    assert program.ended() == 0
    assert program.line() == "returned"
    assert program.line() == ""
    assert os.listdir(place) == []


@pytest.mark.parametrize("count", [8, 64])
def test_connections_that_come_at_once_are_spread(start: Start, address: str, count: int) -> None:
    program = start(address)
    spreads = []

    def even() -> bool:
        spread = burst(address, count)
        spreads.append(sorted(spread.values()))
        return len(spread) == 2 and max(spread.values()) - min(spread.values()) <= count // 8

    # On a busy machine one worker may be kept from taking its share.
    assert any(even() for _ in range(5)), spreads
    assert len(program.children()) == 2


def test_a_worker_that_hangs_does_not_keep_connections_waiting(start: Start, address: str) -> None:
    program = start(address)
    hanging = program.children().pop()
    stop(hanging)
    with RawStream.connect(address) as first, RawStream.connect(address) as second:
        assert {pid_of(first), pid_of(second)} == program.children() - {hanging}
    os.kill(hanging, signal.SIGCONT)
    eventually(lambda: len(burst(address, 8)) == 2, "it takes its turns again")


# ---- workers that die


def test_a_killed_worker_is_replaced_and_fails_nobody_else(start: Start, address: str) -> None:
    program = start(address)
    with ExitStack() as undo:
        streams: dict[int, RawStream] = {}

        def both() -> bool:
            stream = undo.enter_context(RawStream.connect(address))
            streams[pid_of(stream)] = stream
            return len(streams) == 2

        eventually(both, "both serve")
        victim, survivor = streams
        with Callers(address, TEXT) as callers:
            callers.wait_for(50)
            os.kill(victim, signal.SIGKILL)
            callers.wait_for(50)
            eventually(lambda: len(program.children() - {victim, survivor}) == 1, "it has been replaced")
            program.logged(f"The worker {victim} was ended by SIGKILL")
        # Nobody can be lost but those that were connected to it.
        assert len(callers.lost) <= 4
        assert callers.refused == []
        streams[victim].expect_end()
        assert pid_of(streams[survivor]) == survivor
    eventually(lambda: set(burst(address, 8)) == program.children(), "the new one serves")
    program.process.terminate()
    assert program.ended() == 0


def test_one_that_dies_soon_is_replaced_later_each_time(start: Start, address: str) -> None:
    program = start(address, constants={"LONG_ENOUGH": 1e9, "LAST_DELAY": 0.2})
    stays, victim = sorted(program.children())
    for delay in ("0.1", "0.2", "0.2"):
        os.kill(victim, signal.SIGKILL)
        program.logged(f"The worker {victim} was ended by SIGKILL")
        assert f"it is replaced in {delay} s." in program.log.splitlines()[-1]
        eventually(lambda: len(program.children()) == 2, "it has been replaced")
        victim = (program.children() - {stays}).pop()
    eventually(lambda: len(burst(address, 8)) == 2, "both serve")
    # Those that are to come are not waited for.
    os.kill(victim, signal.SIGKILL)
    program.process.terminate()
    assert program.ended() == 0


def test_one_that_has_lived_for_a_while_is_replaced_at_once(start: Start, address: str) -> None:
    program = start(address, constants={"LONG_ENOUGH": 0.0})
    os.kill(program.children().pop(), signal.SIGKILL)
    program.logged("it is replaced at once.")


def test_a_worker_that_is_told_to_end_answers_and_is_replaced(start: Start, address: str, gate: Path) -> None:
    program = start(address)
    with RawStream.connect(address) as held:
        pid = pid_of(held)
        hold(program, held, gate)
        os.kill(pid, signal.SIGTERM)
        gate.write_text("released")
        assert held.read_reply() == {"parameters": {"pid": pid}}
        held.expect_end()
    program.logged(f"The worker {pid} has ended with status 0")
    eventually(lambda: len(burst(address, 8)) == 2, "another serves in its place")


def test_nothing_of_the_supervisor_stays_open_in_a_worker(start: Start, address: str) -> None:
    program = start(address, workers=3)

    def descriptors(pid: int) -> int:
        return len(os.listdir(f"/proc/{pid}/fd"))

    # The first one has been forked when the others had no sockets yet.
    eventually(lambda: len({descriptors(pid) for pid in program.children()}) == 1, "all have as many")
    before, own = descriptors(program.children().pop()), descriptors(program.process.pid)
    for _ in range(3):
        victim = program.children().pop()
        os.kill(victim, signal.SIGKILL)
        eventually(lambda: victim not in program.children(), "it has ended")  # noqa: B023
        eventually(lambda: len(program.children()) == 3, "it has been replaced")
    eventually(lambda: {descriptors(pid) for pid in program.children()} == {before}, "they have as many")
    eventually(lambda: descriptors(program.process.pid) == own, "the supervisor has as many")


# ---- reloading


def test_a_reload_brings_new_code_and_loses_no_call(start: Start, address: str, tmp_path: Path) -> None:
    code = tmp_path / "code.py"
    code.write_text("text = 'old'")
    program = start(address, code=code)
    before = program.children()
    with Callers(address, TEXT) as callers:
        callers.wait_for(50, {"text": "old"})
        for text in ("new", "newer", "newest"):
            code.write_text(f"text = {text!r}")
            program.process.send_signal(signal.SIGHUP)
            callers.wait_for(50, {"text": text})
        eventually(lambda: len(program.children()) == 2, "the old workers have ended")
    assert callers.lost == []
    assert callers.refused == []
    assert not program.children() & before
    program.process.terminate()
    assert program.ended() == 0
    assert program.log == ""


def test_a_reload_lets_streams_end_and_waits_for_a_first_call(start: Start, address: str) -> None:
    program = start(address)
    with RawStream.connect(address) as follower, RawStream.connect(address) as silent:
        follower.send(call(f"{INTERFACE}.Follow", more=True))
        assert follower.read_reply()["continues"]
        before = program.children()
        program.process.send_signal(signal.SIGHUP)
        while (reply := follower.read_reply()).get("continues"):
            pass
        assert reply == {"parameters": {"i": 0}}
        follower.expect_end()
        assert pid_of(silent) in before
        silent.expect_end()
    eventually(lambda: not program.children() & before, "the old workers have ended")


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("raise LookupError('no such configuration')", "(LookupError: no such configuration)"),
        ("import os; os._exit(7)", "has ended with status 7 before it was ready"),
        ("import os; os.kill(os.getpid(), 9)", "was ended by SIGKILL before it was ready"),
    ],
)
def test_a_reload_that_fails_changes_nothing(
    start: Start, address: str, tmp_path: Path, code: str, why: str
) -> None:
    path = tmp_path / "code.py"
    path.write_text("text = 'old'")
    program = start(address, code=path)
    before = program.children()
    with Callers(address, TEXT) as callers:
        path.write_text(code)
        program.process.send_signal(signal.SIGHUP)
        program.logged("The reload is given up")
        assert why in program.log
        callers.wait_for(20, {"text": "old"})
        eventually(lambda: program.children() == before, "nobody else is there")
        path.write_text("text = 'mended'")
        program.process.send_signal(signal.SIGHUP)
        callers.wait_for(20, {"text": "mended"})
    assert callers.lost == []


def test_a_second_reload_takes_the_place_of_the_first(start: Start, address: str, tmp_path: Path) -> None:
    code, gate = tmp_path / "code.py", tmp_path / "gate"
    os.mkfifo(gate)
    code.write_text("text = 'old'")
    program = start(address, code=code)
    before = program.children()
    code.write_text(f"text = open({str(gate)!r}).read()")
    program.process.send_signal(signal.SIGHUP)
    eventually(lambda: len(program.children()) == 4, "new workers have begun")
    code.write_text("text = 'new'")
    program.process.send_signal(signal.SIGHUP)
    eventually(lambda: len(program.children()) == 2 and not program.children() & before, "others serve")
    with RawStream.connect(address) as stream:
        stream.send(TEXT)
        assert stream.read_reply() == {"parameters": {"text": "new"}}


def test_a_service_that_does_not_start_is_an_error(start: Start, address: str, tmp_path: Path) -> None:
    code = tmp_path / "code.py"
    code.write_text("raise LookupError('no such configuration')")
    program = start(address, code=code, ready=False)
    assert program.line() == ""
    assert program.ended() == 1
    assert "WorkerError: A new worker has ended with status 1 before it was ready (LookupError" in program.log
    assert not os.path.exists(address.removeprefix("unix:"))


def test_one_process_calls_a_function_for_the_service(start: Start, address: str, tmp_path: Path) -> None:
    code = tmp_path / "code.py"
    code.write_text("text = 'made'")
    program = start(address, workers=1, code=code)
    with RawStream.connect(address) as stream:
        stream.send(TEXT)
        assert stream.read_reply() == {"parameters": {"text": "made"}}
    assert program.children() == set()


# ---- the end


@pytest.mark.parametrize("workers", [1, 2])
def test_no_reply_is_lost_at_the_end(start: Start, address: str, workers: int) -> None:
    program = start(address, workers=workers)
    eventually(lambda: len(burst(address, 8)) == workers, "all serve")
    with Callers(address, PID, lasting=6, brief=0, again=False) as callers:
        callers.wait_for(100)
        program.process.terminate()
        assert program.ended() == 0
    assert callers.lost == []
    assert len(callers.replies) == workers


def test_a_held_call_is_answered_at_the_end(start: Start, address: str, gate: Path) -> None:
    program = start(address)
    with RawStream.connect(address) as held:
        hold(program, held, gate)
        program.process.terminate()
        eventually(lambda: len(program.children()) == 1, "the idle worker has ended")
        gate.write_text("released")
        assert "parameters" in held.read_reply()
        held.expect_end()
    assert program.ended() == 0


def test_a_second_signal_ends_all_at_once(start: Start, address: str, place: Path, gate: Path) -> None:
    program = start(address)
    workers = program.children()
    with RawStream.connect(address) as held:
        hold(program, held, gate)
        program.process.terminate()
        eventually(lambda: len(program.children()) == 1, "the idle worker has ended")
        program.process.terminate()
        assert program.ended() == -signal.SIGTERM
        held.expect_end()
    assert not any(alive(pid) for pid in workers)
    assert os.listdir(place) == []


def test_a_worker_that_does_not_end_is_killed(start: Start, address: str) -> None:
    program = start(address, drain_time=0.1, constants={"GRACE": 0.1})
    stop(program.children().pop())
    program.process.terminate()
    assert program.ended() == 0
    assert "has not ended in time: it is killed" in program.log


def test_the_workers_end_when_the_supervisor_is_killed(start: Start, address: str, gate: Path) -> None:
    program = start(address, workers=3)
    workers = program.children()
    # A later worker must not have what an earlier one watches.
    victim = min(workers)
    os.kill(victim, signal.SIGKILL)
    eventually(lambda: len(program.children() - workers) == 1, "it has been replaced")
    workers = program.children()
    with RawStream.connect(address) as held:
        pid = pid_of(held)
        hold(program, held, gate)
        program.process.kill()
        program.ended()
        eventually(lambda: [each for each in workers if alive(each)] == [pid], "all but one have ended")
        gate.write_text("released")
        assert held.read_reply() == {"parameters": {"pid": pid}}
        held.expect_end()
    eventually(lambda: not alive(pid), "the last one has ended")


# ---- idle services


def test_an_idle_service_ends(start: Start, address: str, place: Path) -> None:
    program = start(address, exit_idle_time=0.3)
    with RawStream.connect(address) as stream:
        pid_of(stream)
        # Neither ends for itself: not the worker without connections, nor the service.
        with pytest.raises(subprocess.TimeoutExpired):
            program.process.wait(1.0)
        assert len(program.children()) == 2
        pid_of(stream)
    assert program.ended() == 0
    assert program.line() == "returned"
    assert os.listdir(place) == []
    assert program.log == ""


def test_a_worker_that_does_not_answer_holds_up_the_end_and_nobody_else(start: Start, address: str) -> None:
    program = start(address, exit_idle_time=0.2, constants={"PAUSE": 0.05})
    with RawStream.connect(address) as stream:
        hanging = (program.children() - {pid_of(stream)}).pop()
        stop(hanging)
    for _ in range(10):
        with RawStream.connect(address) as stream:
            assert pid_of(stream) != hanging
    assert program.process.poll() is None
    os.kill(hanging, signal.SIGCONT)
    assert program.ended() == 0


STARTER = """\
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execv(sys.executable, [sys.executable, *sys.argv[2:]])
"""


def passed(place: Path, endpoint: socket.socket, **options: Any) -> Program:
    """The program, with a socket that is passed as a service manager does it."""
    given = json.dumps([{"workers": 2, **options}, {}, None])
    return Program(
        place,
        ["-c", STARTER, str(endpoint.fileno()), str(PROGRAM), given],
        pass_fds=[endpoint.fileno()],
    )


def test_an_activated_service_leaves_who_comes_late_to_the_next(tmp_path: Path) -> None:
    """Whenever a call is made in the life of one, it or its successor answers (rule S8)."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{tmp_path}/socket")
        listener.listen(50)
        stop = threading.Event()
        instances: list[int] = []

        def manage() -> None:
            while not stop.is_set():
                program = passed(tmp_path, listener, exit_idle_time=0.002)
                try:
                    instances.append(program.ended())
                finally:
                    program.end()

        manager = threading.Thread(target=manage)
        manager.start()
        try:
            for i in range(16):
                with RawStream.connect(f"unix:{tmp_path}/socket") as stream:
                    assert pid_of(stream)
                # So that the next one comes before, while and after it is decided.
                time.sleep(i % 8 * 0.001)
        finally:
            stop.set()
            manager.join(PATIENCE)
        assert not manager.is_alive()
        assert len(instances) > 1
        assert set(instances) == {0}
    # It belongs to whoever has made it.
    assert os.path.exists(f"{tmp_path}/socket")


# ---- the manager


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as endpoint:
        endpoint.bind(f"{tmp_path}/notify")
        endpoint.settimeout(PATIENCE)
        yield endpoint


def told(manager: socket.socket, but: str = "") -> str:
    """What the manager is told next, without the time."""
    while (message := manager.recv(4096).decode().partition("\n")[0]) == but:
        pass
    return message


def test_the_manager_is_told(start: Start, address: str, tmp_path: Path, manager: socket.socket) -> None:
    code = tmp_path / "code.py"
    code.write_text("text = 'old'")
    program = start(address, code=code, environment={"NOTIFY_SOCKET": f"{tmp_path}/notify"})
    program.process.send_signal(signal.SIGHUP)
    heard = [told(manager) for _ in range(3)]
    code.write_text("raise LookupError")
    program.process.send_signal(signal.SIGHUP)
    heard += [told(manager) for _ in range(2)]
    program.process.terminate()
    assert program.ended() == 0
    heard.append(told(manager))
    assert heard == ["READY=1", "RELOADING=1", "READY=1", "RELOADING=1", "READY=1", "STOPPING=1"]
    manager.setblocking(False)
    with pytest.raises(BlockingIOError):
        told(manager)


def test_a_worker_without_a_sign_of_life_is_replaced(
    start: Start, address: str, tmp_path: Path, manager: socket.socket
) -> None:
    program = start(address, environment={"NOTIFY_SOCKET": f"{tmp_path}/notify", "WATCHDOG_USEC": "1000000"})
    assert sorted(told(manager) for _ in range(2)) == ["READY=1", "WATCHDOG=1"]
    hanging = program.children().pop()
    stop(hanging)
    program.logged(f"The worker {hanging} has given no sign of life")
    eventually(lambda: len(program.children() - {hanging}) == 2, "it has been replaced")
    assert told(manager) == "WATCHDOG=1"
    program.process.terminate()
    assert program.ended() == 0
    assert told(manager, but="WATCHDOG=1") == "STOPPING=1"


# ---- misuse


@pytest.mark.parametrize(
    ("workers", "error", "what"),
    [
        (0, ValueError, "'workers' is 0: at least one"),
        (-2, ValueError, "at least one"),
        ("2", TypeError, "'workers' is '2': it must be the number"),
        (2.0, TypeError, "must be the number"),
        (True, TypeError, "must be the number"),
        (None, TypeError, "must be the number"),
    ],
)
def test_the_number_of_workers(address: str, workers: Any, error: type[Exception], what: str) -> None:
    with pytest.raises(error, match=what):
        fastvarlink.serve(fastvarlink.Service(), address, workers=workers)
    with pytest.raises(error, match=what):
        fastvarlink.Service().serve(address, workers=workers)


def test_what_is_no_service(address: str) -> None:
    with pytest.raises(TypeError, match="'x' cannot be served"):
        fastvarlink.serve("x", address)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="returned NoneType: it must return a Service"):
        fastvarlink.serve(lambda: None, address)  # type: ignore[arg-type, return-value]
    assert not os.path.exists(address.removeprefix("unix:"))


def test_standard_streams_are_for_one_process() -> None:
    before = os.fstat(0), os.fstat(1)
    with pytest.raises(AddressError, match="standard input and output, is one connection"):
        fastvarlink.serve(fastvarlink.Service(), "-", workers=2)
    assert (os.fstat(0), os.fstat(1)) == before


def test_a_passed_connection_is_for_one_process(tmp_path: Path) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        program = passed(tmp_path, theirs)
        assert program.ended() == 1
        program.end()
        assert "AddressError: A connection was passed to this process" in program.log


def test_workers_need_the_main_thread(address: str) -> None:
    found: list[BaseException] = []

    def serve() -> None:
        try:
            fastvarlink.serve(fastvarlink.Service(), address, workers=2)
        except RuntimeError as error:
            found.append(error)

    thread = threading.Thread(target=serve)
    thread.start()
    thread.join(PATIENCE)
    assert "call it on the main thread" in str(found[0])
    assert not os.path.exists(address.removeprefix("unix:"))
