"""Calls, streams, errors and calls without an answer: org.example.more.

Serve:  python examples/more.py --varlink=unix:/tmp/more
Call:   python examples/more.py --client --varlink=unix:/tmp/more
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Any

from serving import options, serve

import fastvarlink as varlink

INTERFACE = "org.example.more"

service = varlink.Service(
    vendor="fastvarlink",
    product="More example",
    version="1",
    url="https://varlink.org",
    interface_dir=os.path.dirname(os.path.abspath(__file__)),
)


class TestMoreError(varlink.VarlinkError):
    """TestMore could not be done."""

    def __init__(self, reason: str) -> None:
        super().__init__({"error": f"{INTERFACE}.TestMoreError", "parameters": {"reason": reason}})


@service.interface(INTERFACE)
class More:
    """Answers org.example.more. ``pause`` is the time between two steps, in seconds."""

    pause = 0.1

    def Ping(self, ping: str) -> dict[str, str]:
        return {"pong": ping}

    def TestMore(self, n: int, _more: bool = False) -> Iterator[dict[str, Any]]:
        if not _more:
            raise varlink.VarlinkError({"error": "org.varlink.service.ExpectedMore", "parameters": {}})
        if not 1 <= n <= 1000:
            raise TestMoreError(f"n is {n}; choose a number of steps from 1 to 1000")
        yield {"state": {"start": True}, "_continues": True}
        for step in range(n):
            yield {"state": {"progress": step * 100 // n}, "_continues": True}
            time.sleep(self.pause)
        yield {"state": {"progress": 100}, "_continues": True}
        yield {"state": {"end": True}, "_continues": False}

    def StopServing(self, reason: str | None = None, _server: Any = None) -> None:
        print(f"Asked to stop: {reason or 'no reason given'}", flush=True)
        _server.shutdown()


def call(address: str, steps: int) -> None:
    """Follow a stream on one connection and ping on another meanwhile."""
    with (
        varlink.Client(address) as client,
        client.open(INTERFACE, namespaced=True) as stream,
        client.open(INTERFACE, namespaced=True) as other,
    ):
        for reply in stream.TestMore(steps, _more=True):
            # A member that the service left out is no attribute of the reply.
            state = vars(reply.state)
            if state.get("start"):
                print("start", flush=True)
            elif state.get("end"):
                print("end", flush=True)
            else:
                print(f"{state['progress']:3} %, and {other.Ping('pong').pong}", flush=True)


def main() -> None:
    parser = options("Shows every kind of call.")
    parser.add_argument("--steps", type=int, default=10, help="steps of the stream (10)")
    parser.add_argument("--pause", type=float, default=More.pause, help="seconds a step takes")
    arguments = parser.parse_args()
    if arguments.client:
        call(arguments.varlink, arguments.steps)
    else:
        More.pause = arguments.pause
        serve(service, arguments.varlink)


if __name__ == "__main__":
    main()
