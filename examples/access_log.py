"""An interceptor that writes a line of JSON for each call: who called what, how it ended, how long it was."""

from __future__ import annotations

import json
import sys
import time
from typing import Any, TextIO

import fastvarlink as varlink


class AccessLog(varlink.Interceptor):
    """Writes to ``file`` a JSON object and a newline for each call that is over, and for each peer refused.

    ``time`` is in seconds since 1970, ``seconds`` how long the call took, ``error`` the name of the error
    reply, null without one; ``interrupted`` says that the client had gone. Parameters are not written.
    """

    def __init__(self, file: TextIO = sys.stderr) -> None:
        self._file = file

    def call(self, call: varlink.Call) -> None:
        call.state[self] = time.monotonic()

    def end(self, call: varlink.Call) -> None:
        assert call.context is not None
        peer = call.context.peer
        error = call.error
        self._write(
            method=call.method,
            oneway=call.oneway,
            uid=peer.uid,
            pid=peer.pid,
            address=peer.address or None,
            replies=call.replies,
            error=error.error() if isinstance(error, varlink.VarlinkError) else error and "internal",
            interrupted=isinstance(error, ConnectionError),
            seconds=round(time.monotonic() - call.state[self], 6),
        )

    def refused(self, peer: varlink.Peer, why: str) -> None:
        self._write(refused=why, uid=peer.uid, pid=peer.pid, address=peer.address or None)

    def _write(self, **line: Any) -> None:
        # One write for a line, so that those of several threads and processes do not get mixed up.
        self._file.write(json.dumps({"time": round(time.time(), 3), **line}) + "\n")
        self._file.flush()
