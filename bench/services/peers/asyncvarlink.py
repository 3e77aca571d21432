"""asyncvarlink, with a process for each side and asyncio's own loop in both."""

import asyncio
from collections.abc import Callable
from typing import Any

import asyncvarlink


class Ping(asyncvarlink.VarlinkInterface, name="org.example.ping"):
    """The interface, and what it does."""

    @asyncvarlink.varlinkmethod(return_parameter="pong")
    async def Ping(self, *, ping: str) -> str:
        """Answer with what was given."""
        return ping


def serve(path: str, ready: Callable[[], None]) -> None:
    """Serve until the process is ended."""

    async def run() -> None:
        registry = asyncvarlink.VarlinkInterfaceRegistry()
        registry.register_interface(Ping())
        server = await asyncvarlink.create_unix_server(registry.protocol_factory, path)
        ready()
        await server.serve_forever()

    asyncio.run(run())


def connect(path: str) -> tuple[Callable[[str], str], Callable[[str, int], list[str]]]:
    """Return what makes a call, and what makes many."""
    loop = asyncio.new_event_loop()
    opened: Any = asyncvarlink.connect_unix_varlink(asyncvarlink.VarlinkClientProtocol, path)
    _, protocol = loop.run_until_complete(opened)
    ping = protocol.make_proxy(Ping)

    # One turn of the loop for many calls, as entering and leaving it is not the library's cost.
    async def in_turn(text: str, count: int) -> list[str]:
        return [(await ping.Ping(ping=text))["pong"] for _ in range(count)]

    async def at_once(text: str, count: int) -> list[str]:
        answers = await asyncio.gather(*(ping.Ping(ping=text) for _ in range(count)))
        return [answer["pong"] for answer in answers]

    def single(text: str) -> str:
        return loop.run_until_complete(in_turn(text, 1))[0]

    def many(text: str, count: int) -> list[str]:
        return loop.run_until_complete(at_once(text, count))

    return single, many
