"""Calling and serving with asyncio."""

from fastvarlink.aio.client import Client
from fastvarlink.aio.loop import EventLoop
from fastvarlink.aio.pool import Pool
from fastvarlink.aio.server import serve

__all__ = ["Client", "EventLoop", "Pool", "serve"]
