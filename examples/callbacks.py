"""A service that calls its clients: org.example.jobs, whose clients offer org.example.jobs.progress.

Serve:  python examples/callbacks.py --varlink=unix:/tmp/jobs
Call:   python examples/callbacks.py --client --varlink=unix:/tmp/jobs
        python examples/callbacks.py --client --asyncio --varlink=unix:/tmp/jobs

A client calls Subscribe() with "upgrade". After the reply the two change roles on that connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from socket import socket

from serving import options, serve

import fastvarlink
from fastvarlink import aio
from fastvarlink.error import ConnectionLost

STEPS = 5
PAUSE = 0.05  # seconds a step takes


@fastvarlink.interface("org.example.jobs")
class Jobs:
    """Does something that takes a while, and tells who subscribes how far it is."""

    @fastvarlink.method(upgrade=True)
    def Subscribe(self, _context: fastvarlink.Context) -> None:
        """Call the client on this connection from here on: it offers org.example.jobs.progress there."""
        _context.take_over(do_job)


@fastvarlink.interface("org.example.jobs.progress")
class Progress:
    """What a client of org.example.jobs offers to it."""

    def Progress(self, percent: int) -> None:
        """So much of the job is done."""
        print(f"{percent:3} %", flush=True)

    def Done(self, summary: str) -> None:
        """The job is done; the service closes the connection."""
        print(summary, flush=True)


def do_job(connection: socket) -> None:
    """The job, on a thread of its own: the service is the client now."""
    with (
        # The client may go at any time, and nobody wants to know of the job then.
        contextlib.suppress(ConnectionLost),
        fastvarlink.Client.over(connection, timeout=10) as client,
        client.open("org.example.jobs.progress") as progress,
    ):
        for step in range(1, STEPS + 1):
            time.sleep(PAUSE)
            progress.Progress(step * 100 // STEPS)
        progress.Done(f"It took {STEPS} steps.")


def offered() -> fastvarlink.Service:
    """What the client serves."""
    service = fastvarlink.Service(vendor="fastvarlink", product="A client of jobs", version="1")
    service.interface(Progress)
    return service


def subscribe(address: str) -> None:
    """Subscribe, and be the service on that connection until the job is done."""
    with fastvarlink.Client(address) as client, client.open("org.example.jobs") as jobs:
        _, connection = jobs.Subscribe(_upgrade=True)
        offered().serve_connection(connection)


async def subscribe_asynchronously(address: str) -> None:
    """The same in an event loop."""
    async with aio.Client(address) as client, await client.open("org.example.jobs") as jobs:
        _, connection = await jobs.Subscribe(_upgrade=True)
        await offered().serve_connection_async(connection)


def main() -> None:
    parser = options("Shows a service that calls its clients.")
    parser.add_argument("--asyncio", action="store_true", help="have the client wait in an event loop")
    arguments = parser.parse_args()
    if arguments.client and arguments.asyncio:
        asyncio.run(subscribe_asynchronously(arguments.varlink))
    elif arguments.client:
        subscribe(arguments.varlink)
    else:
        service = fastvarlink.Service(
            vendor="fastvarlink", product="Jobs example", version="1", url="https://varlink.org"
        )
        service.interface(Jobs)
        serve(service, arguments.varlink)


if __name__ == "__main__":
    main()
