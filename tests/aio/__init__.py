"""Tests of the client for asyncio: against servers of this package, and against scripts on raw sockets."""
