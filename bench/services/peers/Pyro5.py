"""Pyro5. It has many calls under way as a batch: they travel in one message, and so do the answers."""

from collections.abc import Callable

import Pyro5.api


@Pyro5.api.expose
class Ping:
    """What it serves."""

    def ping(self, ping: str) -> str:
        """Answer with what was given."""
        return ping


def serve(path: str, ready: Callable[[], None]) -> None:
    """Serve until the process is ended."""
    with Pyro5.api.Daemon(unixsocket=path) as daemon:
        daemon.register(Ping(), "ping")
        ready()
        daemon.requestLoop()


def connect(path: str) -> tuple[Callable[[str], str], Callable[[str, int], list[str]]]:
    """Return what makes a call, and what makes many."""
    proxy = Pyro5.api.Proxy(f"PYRO:ping@./u:{path}")

    def many(text: str, count: int) -> list[str]:
        batch = Pyro5.api.BatchProxy(proxy)
        for _ in range(count):
            batch.ping(text)
        return list(batch())

    return proxy.ping, many
