"""Services that call their clients on a connection after an upgrade, over all ways to serve and to call."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest

import fastvarlink
from fastvarlink import aio
from fastvarlink.error import ConnectionLost
from wire.drivers import DRIVERS
from wire.eventually import eventually
from wire.rawstream import PATIENCE
from wire.sample import RunningServer

from .callbacks import LOOPS, PROGRESS, Caller, Jobs, Progress, Script, Subscriber, taking_over

# How the service serves, and so how it calls (blocking on threads, else by a task in the loop), and how the
# client does.
CALLERS = {
    "threads": LOOPS,
    "loop": ("blocking", "asyncio"),
    "coroutines": ("blocking", "own"),
    "tasks": ("blocking", "uvloop"),
}
PAIRS = [(driver, kind) for driver in DRIVERS for kind in CALLERS[driver]]


@pytest.fixture(params=PAIRS, ids="-".join)
def pair(request: pytest.FixtureRequest) -> tuple[str, str]:
    chosen: tuple[str, str] = request.param
    return chosen


@pytest.fixture
def driver(pair: tuple[str, str]) -> str:
    return pair[0]


@pytest.fixture
def kind(pair: tuple[str, str]) -> str:
    return pair[1]


class Service:
    """The service of a test, which calls its client by a script."""

    def __init__(self, directory: Path, driver: str) -> None:
        self.address = f"unix:{directory}/socket"
        self._directory = directory
        self._driver = driver
        self._server: RunningServer | None = None

    def start(self, script: Script) -> Future[Any]:
        """Serve. What the script comes to once there is a client."""
        function, outcome = taking_over(script, self._driver != "threads")
        service = fastvarlink.Service()
        service.interface(Jobs(function))
        self._server = RunningServer(self._directory, service=service, driver=self._driver)
        return outcome

    def stop(self) -> None:
        """Stop serving; all of it is over on return."""
        if self._server is not None:
            self._server.stop()
            self._server = None


@pytest.fixture
def service(tmp_path: Path, driver: str) -> Iterator[Service]:
    running = Service(tmp_path, driver)
    yield running
    running.stop()


def test_the_service_calls_its_client(service: Service, kind: str) -> None:
    async def script(caller: Caller) -> list[Any]:
        told = [await caller.call("Echo", "x"), await caller.call("Later", "y")]
        with pytest.raises(fastvarlink.VarlinkError) as caught:
            await caller.call("Refuse", "no")
        told.append(caught.value.parameters())
        with pytest.raises(fastvarlink.InvalidParameter):
            await caller.call("Echo", 1)
        told += [await caller.replies("Count", 3), await caller.replies("CountLater", 2)]
        await caller.call("Echo", "unanswered", _oneway=True)
        names = caller.client.get_interfaces()
        told.append(names if isinstance(names, list) else await names)
        return told

    progress = Progress()
    outcome = service.start(script)
    subscriber = Subscriber(kind, service.address, progress)
    assert outcome.result(PATIENCE) == [
        {"text": "x"},
        {"text": "y"},
        {"why": "no"},
        [{"i": 0}, {"i": 1}, {"i": 2}],
        [{"i": 0}, {"i": 1}],
        ["org.varlink.service", PROGRESS],
    ]
    # The service has left, so the client has nothing to serve any more.
    subscriber.finish()
    assert progress.callers == [os.getpid()] * 2


def test_the_client_leaves_during_a_call(service: Service, kind: str) -> None:
    async def script(caller: Caller) -> Any:
        return await caller.call("Hold" if kind == "blocking" else "HoldTask")

    progress = Progress()
    outcome = service.start(script)
    subscriber = Subscriber(kind, service.address, progress, drain_time=0.0)
    assert progress.arrived.wait(PATIENCE)
    subscriber.leave()
    with pytest.raises(ConnectionLost):
        outcome.result(PATIENCE)
    progress.gate.set()
    subscriber.finish()


@pytest.mark.parametrize("pair", [pair for pair in PAIRS if pair[1] != "blocking"], ids="-".join)
def test_a_client_that_is_cancelled_answers_what_has_arrived(service: Service, kind: str) -> None:
    async def script(caller: Caller) -> Any:
        await caller.call("HoldToTheEnd")
        with contextlib.suppress(ConnectionLost):
            while True:
                await caller.call("Echo", "x")

    progress = Progress()
    outcome = service.start(script)
    subscriber = Subscriber(kind, service.address, progress)
    assert progress.arrived.wait(PATIENCE)
    subscriber.leave()
    outcome.result(PATIENCE)
    subscriber.finish()


def test_the_service_leaves_a_stream(service: Service, kind: str) -> None:
    async def script(caller: Caller) -> Any:
        replies = await caller.call("Count", 100_000, _more=True)
        if hasattr(replies, "__aiter__"):
            return await anext(aiter(replies))
        return next(replies)

    outcome = service.start(script)
    subscriber = Subscriber(kind, service.address, Progress())
    assert outcome.result(PATIENCE) == {"i": 0}
    subscriber.finish()


def test_the_server_ends_during_a_call(service: Service, driver: str, kind: str) -> None:
    async def script(caller: Caller) -> Any:
        return await caller.call("Hold")

    progress = Progress()
    outcome = service.start(script)
    subscriber = Subscriber(kind, service.address, progress)
    assert progress.arrived.wait(PATIENCE)
    service.stop()
    # On a thread it sees its connection go, in a loop it is cancelled.
    expected = ConnectionLost if driver == "threads" else asyncio.CancelledError
    assert isinstance(outcome.exception(PATIENCE), expected)
    progress.gate.set()
    subscriber.finish()


def test_the_roles_change_again(service: Service, driver: str, kind: str) -> None:
    """The client takes over what it has served on, and calls the service once more."""
    second = fastvarlink.Service()
    second.interface(Progress())

    async def first(caller: Caller) -> Any:
        _, connection = await caller.call("Swap", _upgrade=True)
        if driver == "threads":
            second.serve_connection(connection)
        else:
            await second.serve_connection_async(connection)
        return connection.fileno()

    async def again(caller: Caller) -> Any:
        return [await caller.call("Echo", "back"), await caller.replies("Count", 2)]

    take_over, outcome = taking_over(again, kind != "blocking")
    served = service.start(first)
    subscriber = Subscriber(kind, service.address, Progress(take_over))
    assert outcome.result(PATIENCE) == [{"text": "back"}, [{"i": 0}, {"i": 1}]]
    subscriber.finish()
    assert served.result(PATIENCE) == -1


def test_nothing_is_left_behind(tmp_path: Path, driver: str, kind: str) -> None:
    async def script(caller: Caller) -> Any:
        return await caller.replies("Count", 3)

    def once() -> None:
        running = Service(tmp_path, driver)
        try:
            outcome = running.start(script)
            subscriber = Subscriber(kind, running.address, Progress())
            assert len(outcome.result(PATIENCE)) == 3
            subscriber.finish()
        finally:
            running.stop()
        gc.collect()

    once()
    descriptors, threads = os.listdir("/proc/self/fd"), set(threading.enumerate())
    once()
    eventually(lambda: len(os.listdir("/proc/self/fd")) == len(descriptors), "the descriptors are as before")
    eventually(lambda: set(threading.enumerate()) <= threads, "the threads are as before")


def test_interceptors_see_both_ends_come_and_go(tmp_path: Path, driver: str, kind: str) -> None:
    seen: SimpleQueue[tuple[str, str]] = SimpleQueue()

    class Watch(fastvarlink.Interceptor):
        def __init__(self, name: str) -> None:
            self._name = name

        def opened(self, connection: Any) -> None:
            connection.state["name"] = self._name
            seen.put(("opened", self._name))

        def closed(self, connection: Any) -> None:
            assert connection.peer.uid == os.geteuid()
            seen.put(("closed", connection.state["name"]))

    async def script(caller: Caller) -> Any:
        return await caller.call("Echo", "x")

    function, outcome = taking_over(script, driver != "threads")
    jobs = fastvarlink.Service(interceptors=[Watch("service")])
    jobs.interface(Jobs(function))
    offered = fastvarlink.Service(interceptors=[Watch("client")])
    server = RunningServer(tmp_path, service=jobs, driver=driver)
    try:
        Subscriber(kind, server.address, Progress(), service=offered).finish()
        assert outcome.result(PATIENCE) == {"text": "x"}
        assert {seen.get(timeout=PATIENCE) for _ in range(4)} == {
            (what, who) for what in ("opened", "closed") for who in ("service", "client")
        }
    finally:
        server.stop()
    assert seen.empty()


@pytest.mark.filterwarnings("ignore:This process .* multi-threaded:DeprecationWarning")
@pytest.mark.parametrize(
    "server", [fastvarlink.ThreadingServer, fastvarlink.Server, fastvarlink.ForkingServer]
)
def test_a_coroutine_takes_over_where_no_loop_serves(
    tmp_path: Path, server: type[fastvarlink.Server]
) -> None:
    async def report(connection: Any) -> None:
        assert connection.gettimeout() == 0
        async with aio.Client.over(connection) as client:
            await (await client.open(PROGRESS)).Echo("from a task")

    progress = Progress()
    offered = fastvarlink.Service()
    offered.interface(Jobs(report))
    address = f"unix:{tmp_path}/socket"
    with server(address, offered) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        try:
            Subscriber("blocking", address, progress).finish()
        finally:
            running.shutdown()
            thread.join(PATIENCE)
    assert len(progress.callers) == 1


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_coroutine_that_fails_is_logged(
    tmp_path: Path, driver: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(_connection: Any) -> None:
        await asyncio.sleep(0)
        raise RuntimeError("a bug of the service")

    offered = fastvarlink.Service()
    offered.interface(Jobs(fail))
    server = RunningServer(tmp_path, service=offered, driver=driver)
    try:
        Subscriber("blocking", server.address, Progress()).finish()
        eventually(lambda: "closed by an error" in caplog.text, "the failure is logged")
    finally:
        server.stop()
    assert "a bug of the service" in caplog.text
