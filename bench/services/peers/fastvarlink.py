"""Ours, with the blocking client."""

from collections.abc import Callable

import fastvarlink

DEFINITION = "interface org.example.ping\nmethod Ping(ping: string) -> (pong: string)\n"


class Ping:
    """What it serves."""

    def Ping(self, ping: str) -> dict[str, str]:
        """Answer with what was given."""
        return {"pong": ping}


def serve(path: str, ready: Callable[[], None]) -> None:
    """Serve until the process is ended."""
    service = fastvarlink.Service()
    service.interface(DEFINITION)(Ping)
    service.serve(f"unix:{path}", ready=ready)


def connect(path: str) -> tuple[Callable[[str], str], Callable[[str, int], list[str]]]:
    """Return what makes a call, and what makes many."""
    client = fastvarlink.Client(f"unix:{path}")
    ping = client.open("org.example.ping")

    def single(text: str) -> str:
        pong: str = ping.Ping(text)["pong"]
        return pong

    def many(text: str, count: int) -> list[str]:
        with client.pipeline() as calls:
            piped = calls.open("org.example.ping")
            replies = [piped.Ping(text) for _ in range(count)]
        return [reply.result()["pong"] for reply in replies]

    return single, many
