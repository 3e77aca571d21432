"""Handlers that are coroutines, and such that are not, in an event loop."""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

import fastvarlink
from fastvarlink import aio
from fastvarlink.error import ConnectionLost, VarlinkError

from .coroutines import INTERFACE, NAME, Handlers, Run
from .running import settle
from .serving import both, served


def test_coroutines_that_wait_and_that_do_not(run: Run, tmp_path: Path) -> None:
    async def main() -> None:
        async with both(Handlers, tmp_path, INTERFACE) as handler:
            for method in (handler.Now, handler.Later, handler.Plain):
                assert await method("x") == {"text": "x"}
            results = await asyncio.gather(*(handler.Later(str(i)) for i in range(50)))
            assert results == [{"text": str(i)} for i in range(50)]
            assert await handler.WithTimeout(True) == {"ran_out": True}
            assert await handler.WithTimeout(False) == {"ran_out": False}
            assert await handler.InGroup([1, 2, 3]) == {"sum": 12}

    run(main)


def test_a_coroutine_that_does_not_wait_makes_no_task(run: Run, tmp_path: Path) -> None:
    handlers = Handlers()

    async def main() -> None:
        async with both(handlers, tmp_path, INTERFACE) as handler:
            for _ in range(20):
                await handler.Now("x")

    run(main)
    assert len(set(handlers.seen)) == 1


def test_plain_handlers_run_on_other_threads(run: Run, tmp_path: Path) -> None:
    handlers = Handlers()

    async def main() -> None:
        async with both(handlers, tmp_path, INTERFACE) as handler:
            await handler.Plain("x")

    run(main)
    assert handlers.seen[0] is not threading.current_thread()


@pytest.mark.parametrize("wait", [False, True])
def test_each_call_has_a_context_of_its_own(run: Run, tmp_path: Path, wait: bool) -> None:
    async def main() -> None:
        async with both(Handlers, tmp_path, INTERFACE) as handler:
            for name in "abc":
                assert await handler.SetName(name, wait) == {"before": "nobody"}
            assert NAME.get() == "nobody"
            for _ in range(2):
                replies = handler.Count(4, wait, _more=True)
                assert [reply["i"] async for reply in replies] == [0, 1, 2, 3]

    run(main)


def test_streams(run: Run, tmp_path: Path) -> None:
    async def main() -> None:
        async with both(Handlers, tmp_path, INTERFACE) as handler:
            for replies in (
                handler.Count(1000, False, _more=True),
                handler.Count(1000, True, _more=True),
                handler.PlainCount(1000, _more=True),
            ):
                assert [reply["i"] async for reply in replies] == list(range(1000))
            with pytest.raises(fastvarlink.error.ExpectedMore):
                await handler.Count(3, False)
            assert await handler.Now("x") == {"text": "x"}

    run(main)


@pytest.mark.parametrize("wait", [False, True])
def test_failures(run: Run, tmp_path: Path, wait: bool) -> None:
    async def main() -> None:
        async with both(Handlers, tmp_path, INTERFACE) as handler:
            for _ in range(3):
                with pytest.raises(VarlinkError, match="InternalError"):
                    await handler.Fail(wait)
            assert await handler.Later("x") == {"text": "x"}

    run(main)


def test_a_coroutine_that_cancels_itself(run: Run, tmp_path: Path) -> None:
    async def main() -> None:
        async with both(Handlers, tmp_path, INTERFACE) as handler:
            for _ in range(3):
                # Nothing has been awaited any more, so that nothing has come of it.
                assert await handler.CancelItself(False) == {}
                assert await handler.Later("x") == {"text": "x"}
                with pytest.raises(VarlinkError, match="InternalError"):
                    await handler.CancelItself(True)
                assert await handler.Later("y") == {"text": "y"}

    run(main)


def test_a_coroutine_is_cancelled_when_its_client_goes(run: Run, tmp_path: Path) -> None:
    async def main() -> None:
        handlers = Handlers()
        async with both(handlers, tmp_path, INTERFACE) as handler:
            call = asyncio.create_task(handler.Hang())
            await handlers.waiting.wait()
            call.cancel()
            await handlers.ended.wait()
            assert isinstance(handlers.seen[0], asyncio.CancelledError)
            assert await handler.Now("x") == {"text": "x"}

    run(main)


def test_a_oneway_call_is_carried_out_though_its_client_goes(run: Run, tmp_path: Path) -> None:
    async def main() -> None:
        handlers = Handlers()
        async with both(handlers, tmp_path, INTERFACE) as handler:
            await handler.Hang(_oneway=True)
            await handlers.waiting.wait()
            await handler.close()
            await settle()
            handlers.go.set()
            await handlers.ended.wait()
            assert handlers.seen == []

    run(main)


@pytest.mark.parametrize("where", ["await", "yield"])
def test_a_stream_is_closed_when_its_client_goes(run: Run, tmp_path: Path, where: str) -> None:
    async def main() -> None:
        handlers = Handlers()
        async with both(handlers, tmp_path, INTERFACE) as handler:
            replies = handler.HangInStream(where, _more=True)
            assert await anext(replies) == {"i": 1}
            await replies.aclose()
            await handlers.ended.wait()
            assert isinstance(handlers.seen[0], asyncio.CancelledError | GeneratorExit)
            assert await handler.Now("x") == {"text": "x"}

    run(main)


def test_a_reader_that_waits_holds_up_the_stream(run: Run, tmp_path: Path) -> None:
    made = 0

    service = fastvarlink.Service()

    @service.interface("interface org.example.fill\nmethod Fill() -> (filler: string)\n")
    class Fill:
        async def Fill(self) -> AsyncIterator[dict[str, Any]]:
            nonlocal made
            for made in range(10_000):
                yield {"filler": "x" * 10_000, "_continues": made < 9_999}

    async def main() -> None:
        address = f"unix:{tmp_path}/socket"
        async with served(service, address), aio.Client(address) as client:
            replies = (await client.open("org.example.fill")).Fill(_more=True)
            await anext(replies)
            last = -1
            while last != made:
                # Both sides do what they can.
                last = made
                await settle()
            assert made < 500
            assert len([reply async for reply in replies]) == 9_999

    run(main)


def test_a_handler_that_blocks_holds_up_its_own_connection_only(run: Run, tmp_path: Path) -> None:
    handlers = Handlers()
    handlers.blocked, handlers.unblock = threading.Event(), threading.Event()

    async def main() -> None:
        async with (
            both(handlers, tmp_path, INTERFACE) as handler,
            aio.Client(f"unix:{tmp_path}/socket") as client,
        ):
            blocked = asyncio.create_task(handler.Block())
            assert await asyncio.to_thread(handlers.blocked.wait, 30)
            other = await client.open(INTERFACE)
            for _ in range(20):
                await other.Now("x")
                await other.Plain("x")
            assert not blocked.done()
            handlers.unblock.set()
            assert await blocked == {}

    run(main)


def test_functions_that_return_something_to_await(run: Run, tmp_path: Path) -> None:
    service = fastvarlink.Service()

    def decorated(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def wrapper(*args: Any) -> Any:
            return function(*args)

        return wrapper

    @service.interface(
        "interface org.example.shapes\n"
        + "".join(f"method {name}() -> (name: string)\n" for name in ("A", "B", "C", "D", "E"))
    )
    class Shapes:
        async def _answer(self) -> dict[str, str]:
            await asyncio.sleep(0)
            return {"name": "x"}

        def A(self) -> Any:
            return self._answer()

        @decorated
        async def B(self) -> Any:
            return await self._answer()

        C = functools.partialmethod(_answer)

        async def D(self) -> Any:
            return self._answer()

        def E(self) -> Any:
            async def replies() -> AsyncIterator[dict[str, str]]:
                yield await self._answer()

            return replies()

    async def main() -> None:
        address = f"unix:{tmp_path}/socket"
        async with served(service, address), aio.Client(address) as client:
            handler = await client.open("org.example.shapes")
            for name in "ABCDE":
                assert await getattr(handler, name)() == {"name": "x"}, name

    run(main)


def test_the_end_in_good_order(run: Run, tmp_path: Path) -> None:
    """Cancelled, a service answers what has arrived, accepts nothing more, and then is cancelled."""

    async def main() -> None:
        handlers = Handlers()
        service = fastvarlink.Service()
        service.interface(handlers)
        address = f"unix:{tmp_path}/socket"
        async with served(service, address) as task, aio.Client(address) as client:
            handler = await client.open(INTERFACE)
            call = asyncio.create_task(handler.Hang())
            await handlers.waiting.wait()
            task.cancel()
            await settle()
            assert not task.done()
            handlers.go.set()
            assert await call == {}
            await asyncio.wait([task])
            assert task.cancelled()
            with pytest.raises((FileNotFoundError, ConnectionRefusedError)):
                await client.open(INTERFACE)

    run(main)


@pytest.mark.parametrize("how", ["time", "again"])
def test_the_end_of_what_does_not_end(run: Run, tmp_path: Path, how: str) -> None:
    async def main() -> None:
        handlers = Handlers()
        service = fastvarlink.Service()
        service.interface(handlers)
        address = f"unix:{tmp_path}/socket"
        async with (
            served(service, address, drain_time=0.05 if how == "time" else 30.0) as task,
            aio.Client(address) as client,
        ):
            handler = await client.open(INTERFACE)
            call = asyncio.create_task(handler.Hang())
            await handlers.waiting.wait()
            task.cancel()
            await settle()
            if how == "again":
                task.cancel()
            with pytest.raises(ConnectionLost):
                await call
            await asyncio.wait([task])
            assert task.cancelled()
            assert isinstance(handlers.seen[0], asyncio.CancelledError)
            assert handlers.ended.is_set()

    run(main)


def test_an_idle_service_ends(run: Run, tmp_path: Path) -> None:
    async def main() -> None:
        service = fastvarlink.Service()
        address = f"unix:{tmp_path}/socket"
        async with served(service, address, exit_idle_time=0.01) as task:
            await task

    run(main)


def test_two_services_in_one_loop(run: Run, tmp_path: Path) -> None:
    async def main() -> None:
        first, second = Handlers(), Handlers()
        (tmp_path / "second").mkdir()
        async with (
            both(first, tmp_path, INTERFACE) as one,
            both(second, tmp_path / "second", INTERFACE) as other,
        ):
            for _ in range(10):
                assert await one.Later("x") == {"text": "x"}
                assert await other.Later("y") == {"text": "y"}

    run(main)


def test_what_cannot_be_listened_at(run: Run, tmp_path: Path) -> None:
    async def main() -> None:
        with pytest.raises(FileNotFoundError):
            async with served(fastvarlink.Service(), f"unix:{tmp_path}/missing/socket"):
                pass

    run(main)


@pytest.mark.parametrize("kind", [fastvarlink.ThreadingServer, fastvarlink.Server])
def test_servers_without_a_loop_run_coroutines_too(tmp_path: Path, kind: Any) -> None:
    service = fastvarlink.Service()
    made: list[Handlers] = []

    @service.interface
    class Late(Handlers):
        def __init__(self) -> None:
            super().__init__()
            made.append(self)

    address = f"unix:{tmp_path}/socket"
    server = kind(address, service)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        with fastvarlink.Client(address) as client, client.open(INTERFACE) as handler:
            assert handler.Later("x") == {"text": "x"}
            assert handler.Now("x") == {"text": "x"}
            assert [reply["i"] for reply in handler.Count(3, True, _more=True)] == [0, 1, 2]
            with pytest.raises(VarlinkError, match="InternalError"):
                handler.Fail(True)
            replies = handler.HangInStream("yield", _more=True)
            assert next(replies) == {"i": 1}
            replies.close()
            assert made[0].over.wait(30)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
