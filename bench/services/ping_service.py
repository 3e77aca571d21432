"""Serve org.example.ping with the library that the first argument names.

Usage: ping_service.py fastvarlink|varlink ADDRESS [BUSY_POLL]
Prints "ready" once connections are accepted. Uses only what both libraries offer, but for
the seconds of a busy poll.
"""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

library: Any = importlib.import_module(sys.argv[1])


class Ping:
    """The methods of org.example.ping."""

    def Ping(self, ping: str) -> dict[str, str]:
        """Answer with what was given."""
        return {"pong": ping}

    def Count(self, n: int, _more: bool = False) -> Iterator[dict[str, Any]]:
        """Stream the numbers below n, or answer with the last one where no stream was asked for."""
        last = n - 1
        if _more:
            for i in range(last):
                yield {"i": i, "_continues": True}
        yield {"i": last, "_continues": False}

    def Echo(self, text: str) -> dict[str, str]:
        """Answer with the same text."""
        return {"text": text}


def main() -> None:
    """Serve until the process is ended."""
    service = library.Service(
        vendor="Example",
        product="Ping",
        version="1",
        url="https://example.org/ping",
        interface_dir=str(Path(__file__).resolve().parent.parent),
    )
    service.interface("org.example.ping")(Ping)
    handler = type("PingRequestHandler", (library.RequestHandler,), {"service": service})
    if len(sys.argv) > 3:
        library.ThreadingServer.busy_poll = float(sys.argv[3])
    with library.ThreadingServer(sys.argv[2], handler) as server:
        print("ready", flush=True)
        server.serve_forever()


main()
