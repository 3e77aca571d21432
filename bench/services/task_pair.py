"""Call a service from the event loop that it runs in, with the library that the first argument names.

Usage: task_pair.py fastvarlink|asyncvarlink|streamed|buffered asyncio|uvloop|own TASKS SECONDS
The loop is asyncio's, uvloop's, or fastvarlink's own. So many tasks share one connection, each with one call
after the other; prints the nanoseconds a call. streamed and buffered are what loops give, Protocols and
BufferedProtocols, with orjson on both sides, and know only how messages look. Every answer is compared.
The time is the process's own: as it never waits, that is what a quiet machine would take.
"""

import asyncio
import importlib
import os
import sys
import tempfile
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from time import process_time_ns
from typing import Any

Call = Callable[[str], Awaitable[str]]
DEFINITION = "interface org.example.ping\nmethod Ping(ping: string) -> (pong: string)\n"
BATCH = 5


@asynccontextmanager
async def fastvarlink(path: str) -> AsyncIterator[Call]:
    """Our client, and a coroutine as handler."""
    library: Any = importlib.import_module("fastvarlink")
    aio: Any = importlib.import_module("fastvarlink.aio")
    service = library.Service()

    @service.interface(DEFINITION)
    class Ping:
        async def Ping(self, ping: str) -> dict[str, str]:
            return {"pong": ping}

    ready = asyncio.Event()
    serving = asyncio.ensure_future(aio.serve(service, f"unix:{path}", ready=ready.set))
    await ready.wait()
    async with aio.Client(f"unix:{path}") as client, await client.open("org.example.ping") as ping:

        async def call(text: str) -> str:
            answer: str = (await ping.Ping(text))["pong"]
            return answer

        yield call
    serving.cancel()
    await asyncio.wait([serving])


@asynccontextmanager
async def asyncvarlink(path: str) -> AsyncIterator[Call]:
    """The other library, likewise."""
    library: Any = importlib.import_module("asyncvarlink")

    class Ping(library.VarlinkInterface, name="org.example.ping"):
        @library.varlinkmethod(return_parameter="pong")
        async def Ping(self, *, ping: str) -> str:
            return ping

    registry = library.VarlinkInterfaceRegistry()
    registry.register_interface(Ping())
    server = await library.create_unix_server(registry.protocol_factory, path)
    transport, protocol = await library.connect_unix_varlink(library.VarlinkClientProtocol, path)
    ping = protocol.make_proxy(Ping)

    async def call(text: str) -> str:
        answer: str = (await ping.Ping(ping=text))["pong"]
        return answer

    yield call
    transport.close()
    server.close()


class Framed(asyncio.BaseProtocol):
    """Messages that end with NUL."""

    transport: Any  # those of uvloop are no asyncio.Transport
    rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what is written to."""
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Take the messages apart."""
        *messages, self.rest = (self.rest + data).split(b"\0")
        for message in messages:
            self.came(message)

    def came(self, message: bytes) -> None:
        """One has come."""
        raise NotImplementedError


class Streamed(Framed, asyncio.Protocol):
    """Gets bytes: asyncio's own loop makes 256 KiB for each read of them, and gives back what is not used."""


class Buffered(Framed, asyncio.BufferedProtocol):
    """Has its own buffer."""

    def __init__(self) -> None:
        self.room = bytearray(65536)
        self.view = memoryview(self.room)

    def get_buffer(self, _sizehint: int) -> memoryview:
        """Where to read to."""
        return self.view

    def buffer_updated(self, nbytes: int) -> None:
        """So much has come."""
        self.data_received(bytes(self.view[:nbytes]))


@asynccontextmanager
async def bare(kind: type[Framed], path: str) -> AsyncIterator[Call]:
    """What both would cost at the least in such a loop."""
    orjson: Any = importlib.import_module("orjson")
    loads, dumps = orjson.loads, orjson.dumps
    loop = asyncio.get_running_loop()
    waiting: deque[asyncio.Future[dict[str, Any]]] = deque()

    class Server(kind):
        def came(self, message: bytes) -> None:
            ping = loads(message)["parameters"]["ping"]
            self.transport.write(dumps({"parameters": {"pong": ping}}) + b"\0")

    class Client(kind):
        def came(self, message: bytes) -> None:
            waiting.popleft().set_result(loads(message))

    server = await loop.create_unix_server(Server, path)
    transport, _ = await loop.create_unix_connection(Client, path)

    async def call(text: str) -> str:
        answer = loop.create_future()
        waiting.append(answer)
        transport.write(dumps({"method": "org.example.ping.Ping", "parameters": {"ping": text}}) + b"\0")
        pong: str = (await answer)["parameters"]["pong"]
        return pong

    yield call
    transport.close()
    server.close()


async def measure(
    pair: Callable[[str], AbstractAsyncContextManager[Call]], tasks: int, seconds: float
) -> float:
    """Have the tasks call until the seconds have passed, after a fifth of them to warm up."""
    done = 0

    async def caller(call: Call, end: float) -> None:
        nonlocal done
        while process_time_ns() < end:
            for _ in range(BATCH):
                if await call("hello") != "hello":
                    raise SystemExit("Ping was answered wrongly.")
            done += BATCH

    with tempfile.TemporaryDirectory(prefix="fvl-pair-") as folder:
        async with pair(os.path.join(folder, "socket")) as call:
            for span in (seconds / 5, seconds):
                done, begin = 0, process_time_ns()
                await asyncio.gather(*(caller(call, begin + span * 1e9) for _ in range(tasks)))
                taken = process_time_ns() - begin
    return taken / done


def main() -> None:
    """Measure as asked, and print the figure."""
    _, library, loop, tasks, seconds = sys.argv
    pair = {
        "fastvarlink": fastvarlink,
        "asyncvarlink": asyncvarlink,
        "streamed": partial(bare, Streamed),
        "buffered": partial(bare, Buffered),
    }[library]
    where, name = {
        "asyncio": ("asyncio", "SelectorEventLoop"),
        "uvloop": ("uvloop", "new_event_loop"),
        "own": ("fastvarlink.aio", "EventLoop"),
    }[loop]
    with asyncio.Runner(loop_factory=getattr(importlib.import_module(where), name)) as runner:
        print(f"{runner.run(measure(pair, int(tasks), float(seconds))):.1f}")


main()
