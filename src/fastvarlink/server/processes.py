"""ForkingServer: a process for each connection."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from socketserver import BaseServer, ForkingMixIn
from typing import Any

from fastvarlink.peer import Peer
from fastvarlink.server.server import Server


class ForkingServer(ForkingMixIn, Server):
    """Serves each connection in a process of its own."""

    def serve_forever(self, poll_interval: float = 0.5) -> None:
        """Serve until shutdown() is called by another thread."""
        BaseServer.serve_forever(self, poll_interval)

    def shutdown(self) -> None:
        """Stop serve_forever() and wait until it has returned."""
        BaseServer.shutdown(self)

    def drain(self, timeout: float = 10.0) -> None:
        """Stop serve_forever(); the processes that serve connections are ended by server_close()."""
        threading.Thread(target=self.shutdown, name="fastvarlink drain", daemon=True).start()

    def server_close(self) -> None:
        """Close the listening socket and end the processes that serve connections."""
        for pid in self.active_children or ():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        super().server_close()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve an accepted connection in a child."""
        if not self._is_welcome(Peer(request)):
            self.shutdown_request(request)
            return
        ForkingMixIn.process_request(self, request, client_address)
