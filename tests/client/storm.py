"""A service that answers with what it was asked, if it answers: late, in pieces, or not at all."""

from __future__ import annotations

import json
import random
import socket
import threading
from pathlib import Path

import fastvarlink

INTERFACE = "org.example.storm"
DESCRIPTION = f"""\
interface {INTERFACE}

# Sends the number back.
method Ask(id: int) -> (id: int)

# Sends the number back again and again.
method Repeat(id: int) -> (id: int, n: int)

# Always an error, with the number.
method Fail(id: int) -> ()

error Failed (id: int)
"""


class Storm:
    """Listens on a unix socket; the weather is made by dice from a seed."""

    def __init__(self, directory: Path, seed: int) -> None:
        self.address = f"unix:{directory}/storm"
        self.interface = fastvarlink.Interface(DESCRIPTION)
        self._seeds = random.Random(seed)
        self._stopped = threading.Event()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(f"{directory}/storm")
        self._listener.listen(100)
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def end(self) -> None:
        self._stopped.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            dice = random.Random(self._seeds.random())
            thread = threading.Thread(target=self._serve, args=(connection, dice))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket, dice: random.Random) -> None:
        waiting = b""
        with connection:
            connection.settimeout(0.1)
            while not self._stopped.is_set():
                try:
                    data = connection.recv(65536)
                except TimeoutError:
                    continue
                except OSError:
                    return
                *calls, waiting = (waiting + data).split(b"\0")
                try:
                    if not data or not all(self._answer(connection, dice, call) for call in calls):
                        return
                except OSError:
                    return

    def _answer(self, connection: socket.socket, dice: random.Random, call: bytes) -> bool:
        """Whether the connection is to live on."""
        message = json.loads(call)
        number = message["parameters"]["id"]
        weather = dice.random()
        if weather < 0.04:
            return False
        if weather < 0.12:
            # Some calls have less time than that.
            self._stopped.wait(dice.uniform(0, 0.02))
        if message.get("oneway"):
            return True
        if message["method"].endswith("Fail"):
            replies = [{"error": f"{INTERFACE}.Failed", "parameters": {"id": number}}]
        elif message.get("more"):
            count = dice.randrange(1, 5)
            replies = [
                {"parameters": {"id": number, "n": n}, **({"continues": True} if n + 1 < count else {})}
                for n in range(count)
            ]
        else:
            replies = [{"parameters": {"id": number}}]
        data = b"".join(json.dumps(reply).encode() + b"\0" for reply in replies)
        cut = dice.randrange(len(data)) if weather < 0.3 else len(data)
        connection.sendall(data[:cut])
        if weather < 0.14:
            return False
        connection.sendall(data[cut:])
        return True
