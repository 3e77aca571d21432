"""Calling services with asyncio."""

from fastvarlink.aio.client import Client

__all__ = ["Client"]
