"""A service of a test, served in the test's own process for the command to call."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

import fastvarlink
from wire.rawstream import PATIENCE


@contextlib.contextmanager
def serving(service: fastvarlink.Service, address: str) -> Iterator[str]:
    """Serve until the end of the block. The address."""
    with fastvarlink.ThreadingServer(address, service) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield address
        finally:
            server.shutdown()
            thread.join(PATIENCE)
            assert not thread.is_alive()
