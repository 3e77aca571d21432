"""What -v says on stderr: a line for each call that is over."""

from __future__ import annotations

import logging
import time
from typing import Any

from fastvarlink.cli.output import legible
from fastvarlink.error import VarlinkError
from fastvarlink.interceptor import Interceptor
from fastvarlink.peer import Peer

__all__ = ["AccessLog"]

logger = logging.getLogger("fastvarlink.access")


class AccessLog(Interceptor):
    """Logs calls: the method, who has called, how many replies there were, how it ended, how long it took.

    Parameters are not written.
    """

    def call(self, call: Any) -> None:
        call.state[self] = time.monotonic()

    def end(self, call: Any) -> None:
        error = call.error
        if error is None:
            ended = "ok"
        elif isinstance(error, VarlinkError):
            ended = legible(error.error())
        else:
            ended = "gone" if isinstance(error, ConnectionError) else "failed"
        taken = (time.monotonic() - call.state[self]) * 1000
        logger.info(
            "%s %s replies=%d %s %.1f ms",
            legible(call.method),
            _who(call.context.peer),
            call.replies,
            ended,
            taken,
        )

    def refused(self, peer: Peer, why: str) -> None:
        logger.info("refused %s: %s", _who(peer), why)


def _who(peer: Peer) -> str:
    if peer.uid is not None:
        return f"uid={peer.uid} pid={peer.pid or '?'}"
    return f"from={peer.address[0]}:{peer.address[1]}" if peer.address else "from=?"
