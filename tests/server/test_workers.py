"""serve() with several workers, as processes: who serves, who is replaced, what a reload does."""

from __future__ import annotations

import os
import signal
import socket
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

import fastvarlink
from fastvarlink.error import AddressError
from wire.eventually import eventually
from wire.rawstream import PATIENCE, RawStream, call

from .callers import Callers
from .supervised import INTERFACE, TEXT, Start, burst, hold, passed, pid_of, stop

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
