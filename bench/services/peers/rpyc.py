"""RPyC, with a function of the service that is asked for once."""

from collections.abc import Callable

import rpyc
from rpyc.utils.factory import unix_connect
from rpyc.utils.server import ThreadedServer


class Ping(rpyc.Service):
    """What it serves."""

    def exposed_ping(self, ping: str) -> str:
        """Answer with what was given."""
        return ping


def serve(path: str, ready: Callable[[], None]) -> None:
    """Serve until the process is ended."""
    server = ThreadedServer(Ping, socket_path=path)
    # It is bound by now, but listens only once it starts.
    server.listener.listen(16)
    ready()
    server.start()


def connect(path: str) -> tuple[Callable[[str], str], Callable[[str, int], list[str]]]:
    """Return what makes a call, and what makes many."""
    connection = unix_connect(path)
    ping = connection.root.ping
    later = rpyc.async_(ping)

    def many(text: str, count: int) -> list[str]:
        pending = [later(text) for _ in range(count)]
        return [result.value for result in pending]

    return ping, many
