"""busy_poll of clients: nothing changes but who sleeps."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import pytest

import fastvarlink
from core.serving import Background
from fastvarlink import DeadlineExceeded
from fastvarlink.error import ConnectionLost
from wire.eventually import eventually
from wire.rawstream import PATIENCE
from wire.sample import INTERFACE, RunningServer

from .typed import WireClient

OpenHandler = Callable[..., Any]
# Longer than any test waits.
FOREVER = 3600.0


class Caller:
    """A call that the service holds, on a thread whose computing can be looked at."""

    def __init__(self, server: RunningServer, handler: Any) -> None:
        self.ident: int | None = None
        self.call = Background(self._run, handler)
        server.state.wait_for_arrival()

    def _run(self, handler: Any) -> Any:
        self.ident = threading.get_ident()
        return handler.Hold("x")

    def cpu_time(self) -> float:
        assert self.ident is not None
        return time.clock_gettime(time.pthread_getcpuclockid(self.ident))


@pytest.mark.parametrize("seconds", [1e-6, 0.001, FOREVER])
@pytest.mark.parametrize("timeout", [None, 60])
def test_all_that_calls_is_answered(server: RunningServer, seconds: float, timeout: float | None) -> None:
    options: dict[str, Any] = {"busy_poll": seconds, "timeout": timeout}
    with (
        fastvarlink.Client(server.address, **options) as client,
        fastvarlink.Pool(server.address, **options) as pool,
        client.open(INTERFACE) as handler,
        client.open(WireClient) as typed,
        client.pipeline() as pipeline,
        fastvarlink.Client.over(client.open_connection(), **options) as over,
    ):
        for each in (handler, pool.open(INTERFACE), over.open(INTERFACE)):
            for text in map(str, range(20)):
                assert each.Ping(text) == {"text": text}
            assert [reply["i"] for reply in each.Count(20, _more=True)] == list(range(20))
            assert each.Big(1 << 20) == {"text": "x" * (1 << 20)}
            assert each.Ping("x", _oneway=True) is None
        assert typed.Ping("x") == {"text": "x"}
        piped = pipeline.open(INTERFACE)
        replies = [piped.Ping(str(number)) for number in range(300)]
        assert [reply.result()["text"] for reply in replies] == list(map(str, range(300)))


def test_a_deadline_is_kept(open_handler: OpenHandler) -> None:
    handler = open_handler(busy_poll=FOREVER, timeout=0.05)
    for _ in range(2):
        with pytest.raises(DeadlineExceeded, match=r"Hold was not answered within 0\.05 seconds"):
            handler.Hold("x")
    assert handler.Ping("y", _timeout=60) == {"text": "y"}


def test_other_threads_run_meanwhile(server: RunningServer, open_handler: OpenHandler) -> None:
    caller = Caller(server, open_handler(busy_poll=FOREVER))
    before = caller.cpu_time()
    eventually(lambda: caller.cpu_time() - before > 0.05, "it does not sleep")
    server.state.gate.set()
    assert caller.call.result() == {"text": "x"}


@pytest.mark.parametrize("timeout", [None, 60])
def test_it_sleeps_when_the_time_is_over(
    server: RunningServer, open_handler: OpenHandler, timeout: float | None
) -> None:
    caller = Caller(server, open_handler(busy_poll=0.05, timeout=timeout))

    def asleep() -> bool:
        before = caller.cpu_time()
        time.sleep(0.3)
        return caller.cpu_time() - before < 0.03

    eventually(asleep, "it sleeps")
    server.state.gate.set()
    assert caller.call.result() == {"text": "x"}


def test_closing_the_connection_ends_it(server: RunningServer, open_handler: OpenHandler) -> None:
    handler = open_handler(busy_poll=FOREVER)
    caller = Caller(server, handler)
    handler.close()
    with pytest.raises(ConnectionLost, match="closed by this program"):
        caller.call.result()


class Interrupted(Exception):
    """What the handler of the signal raises."""


@pytest.fixture
def _interruptible() -> Iterator[None]:
    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise Interrupted

    before = signal.signal(signal.SIGUSR1, interrupt)
    yield
    signal.signal(signal.SIGUSR1, before)


@pytest.mark.usefixtures("_interruptible")
@pytest.mark.parametrize("timeout", [None, 60])
def test_a_signal_ends_it(server: RunningServer, open_handler: OpenHandler, timeout: float | None) -> None:
    handler = open_handler(busy_poll=FOREVER, timeout=timeout)
    main = threading.get_ident()

    def interrupt() -> None:
        server.state.wait_for_arrival()
        signal.pthread_kill(main, signal.SIGUSR1)

    interrupting = Background(interrupt)
    # Should it not be interrupted, the call would return.
    opening = threading.Timer(PATIENCE, server.state.gate.set)
    opening.start()
    try:
        with pytest.raises(Interrupted):
            handler.Hold("x")
        interrupting.result()
    finally:
        opening.cancel()
        opening.join()
