"""serve() with several workers, as processes: how all end, when they are told to, idle or not well."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from wire.eventually import eventually
from wire.rawstream import PATIENCE, RawStream

from .callers import Callers
from .supervised import PID, Start, alive, burst, hold, passed, pid_of, stop

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
