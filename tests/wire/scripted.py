"""A peer for the client: a listening socket whose connections follow a script in a thread."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from pathlib import Path

from .rawstream import PATIENCE, Pieces, RawStream

Script = Callable[[RawStream], None]


class ScriptedPeer:
    """Listens on a unix socket, or a given one. Each script serves one connection, in order."""

    def __init__(self, directory: Path, pieces: Pieces, listener: socket.socket | None = None) -> None:
        path = f"{directory}/peer"
        self.address = f"unix:{path}"
        self._pieces = pieces
        self._listener = listener or socket.socket(socket.AF_UNIX)
        self._listener.settimeout(PATIENCE)
        if listener is None:
            self._listener.bind(path)
        self._listener.listen()
        self._threads: list[threading.Thread] = []
        self._faults: list[BaseException] = []

    def start(self, *scripts: Script) -> None:
        """Serve one connection by each of the scripts, one after the other, then stop accepting."""
        thread = threading.Thread(target=self._run, args=(scripts,), name="scripted peer")
        self._threads.append(thread)
        thread.start()

    def _run(self, scripts: tuple[Script, ...]) -> None:
        try:
            for script in scripts:
                connection, _ = self._listener.accept()
                with RawStream(connection, self._pieces) as stream:
                    script(stream)
        except BaseException as fault:  # it is raised again in the thread of the test
            self._faults.append(fault)

    def finish(self) -> None:
        """Wait for the scripts and raise what went wrong in them."""
        for thread in self._threads:
            thread.join(3 * PATIENCE)
            assert not thread.is_alive(), "A script of the peer has not come to its end."
        if self._faults:
            raise self._faults.pop(0)

    def close(self) -> None:
        for thread in self._threads:
            thread.join(3 * PATIENCE)
        self._listener.close()


def answers(*replies: bytes) -> Script:
    """A script: for each reply read one call, then send it; at last expect the client to close."""

    def script(stream: RawStream) -> None:
        for reply in replies:
            stream.read_frame()
            stream.send(reply)
        stream.expect_end()

    return script
