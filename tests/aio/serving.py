"""A service in the event loop of a test, with a client beside it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import fastvarlink
from fastvarlink import aio


@asynccontextmanager
async def served(
    service: fastvarlink.Service, address: str, **options: Any
) -> AsyncIterator[asyncio.Task[None]]:
    """Serve until the end of the block, or until the task has been cancelled there."""
    ready = asyncio.Event()
    task = asyncio.create_task(service.serve_async(address, ready=ready.set, **options))
    waiting = asyncio.create_task(ready.wait())
    await asyncio.wait([task, waiting], return_when=asyncio.FIRST_COMPLETED)
    try:
        if task.done():
            waiting.cancel()
            task.result()
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])


@asynccontextmanager
async def both(
    handlers: type[Any] | Any, directory: Path, interface: str, **options: Any
) -> AsyncIterator[Any]:
    """A service of typed handlers, and a handler of the interface at it."""
    service = fastvarlink.Service()
    service.interface(handlers)
    address = f"unix:{directory}/socket"
    async with served(service, address, **options), aio.Client(address) as client:
        yield await client.open(interface)
