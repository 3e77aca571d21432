"""Calling and serving with asyncio."""

from fastvarlink.deferred import deferred

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fastvarlink.aio.client import Client
    from fastvarlink.aio.loop import EventLoop
    from fastvarlink.aio.pool import Pool
    from fastvarlink.aio.server import serve

__all__ = ["Client", "EventLoop", "Pool", "serve"]

_HOMES = {
    "Client": "fastvarlink.aio.client",
    "EventLoop": "fastvarlink.aio.loop",
    "Pool": "fastvarlink.aio.pool",
    "serve": "fastvarlink.aio.server",
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = deferred(__name__, _HOMES)
