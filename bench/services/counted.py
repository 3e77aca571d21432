"""What bench/count.py counts: org.example.ping served, called, or both in one event loop.

Usage: counted.py server|intercepted|client|tasks MARKS ADDRESS
MARKS is marks.c, compiled. Each workload runs to warm up, then SHORT and LONG times, and each of these ends
with a mark that tells its name: "unary short". A server hears of it by the method Mark. Every answer is
compared with what it should be.
"""

import asyncio
import ctypes
import gc
import sys
from collections.abc import Callable, Iterator
from typing import Any

import fastvarlink
from fastvarlink import aio

# What differs between LONG and SHORT is counted. Whole windows of 64 calls fit into each.
WARM, SHORT, LONG = 512, 1024, 3072

PING = "interface org.example.ping\nmethod Ping(ping: string) -> (pong: string)\n"
DEFINITION = PING + "method Count(n: int) -> (i: int)\nmethod Mark(name: string) -> ()\n"


class Counter(fastvarlink.Interceptor):
    """Does next to nothing."""

    calls = 0

    def call(self, _call: Any) -> None:
        """Count one more."""
        self.calls += 1


def expect(got: object, wanted: object) -> None:
    """End the program over a wrong answer: it must not look cheap."""
    if got != wanted:
        raise SystemExit(f"An answer was {got!r} rather than {wanted!r}.")


def settle() -> None:
    """Spare the collector what starting has left: the rest of what it does is part of the figures."""
    gc.collect()
    gc.freeze()


def serve(address: str, mark: Callable[[str], None], interceptors: list[fastvarlink.Interceptor]) -> None:
    """Serve on one thread, without a watchdog whose looks depend on the time, until the process is ended."""
    service = fastvarlink.Service(interceptors=interceptors)

    @service.interface(DEFINITION)
    class Ping:
        def Ping(self, ping: str) -> dict[str, str]:
            return {"pong": ping}

        def Count(self, n: int) -> Iterator[dict[str, Any]]:
            for i in range(n - 1):
                yield {"i": i, "_continues": True}
            yield {"i": n - 1}

        def Mark(self, name: str) -> dict[str, Any]:
            mark(name)
            return {}

    handler = type("Handler", (fastvarlink.RequestHandler,), {"service": service})
    with fastvarlink.Server(address, handler) as server:
        settle()
        print("ready", flush=True)
        server.serve_forever()


def unary(client: Any, calls: int) -> None:
    """Call one after the other."""
    with client.open("org.example.ping") as ping:
        for _ in range(calls):
            expect(ping.Ping("hello")["pong"], "hello")


def pipeline(client: Any, calls: int) -> None:
    """Make the calls in one pipeline."""
    with client.pipeline() as many:
        ping = many.open("org.example.ping")
        replies = [ping.Ping("hello") for _ in range(calls)]
    for reply in replies:
        expect(reply.result()["pong"], "hello")


def stream(client: Any, replies: int) -> None:
    """Make one call that is answered so many times."""
    awaited = 0
    with client.open("org.example.ping") as ping:
        for reply in ping.Count(replies, _more=True):
            expect(reply["i"], awaited)
            awaited += 1
    expect(awaited, replies)


def call(address: str, mark: Callable[[str], None]) -> None:
    """Run each workload of a client."""
    with fastvarlink.Client(address) as client:
        for workload in (unary, pipeline, stream):
            workload(client, WARM)
            settle()
            mark("ready")
            workload(client, SHORT)
            mark(f"{workload.__name__} short")
            workload(client, LONG)
            mark(f"{workload.__name__} long")


async def pair(address: str, mark: Callable[[str], None]) -> None:
    """Call a coroutine of a service in the same event loop."""
    service = fastvarlink.Service()

    @service.interface(PING)
    class Ping:
        async def Ping(self, ping: str) -> dict[str, str]:
            return {"pong": ping}

    ready = asyncio.Event()
    serving = asyncio.ensure_future(aio.serve(service, address, ready=ready.set))
    await ready.wait()
    async with aio.Client(address) as client, await client.open("org.example.ping") as ping:

        async def unary(calls: int) -> None:
            for _ in range(calls):
                expect((await ping.Ping("hello"))["pong"], "hello")

        await unary(WARM)
        settle()
        mark("ready")
        await unary(SHORT)
        mark("unary short")
        await unary(LONG)
        mark("unary long")
    serving.cancel()
    await asyncio.wait([serving])


def main() -> None:
    """Do as asked."""
    _, role, marks, address = sys.argv
    library = ctypes.CDLL(marks)

    def mark(name: str) -> None:
        library.mark(name.encode())

    if role == "client":
        call(address, mark)
    elif role == "tasks":
        asyncio.run(pair(address, mark))
    else:
        serve(address, mark, [Counter()] if role == "intercepted" else [])


if __name__ == "__main__":
    main()
