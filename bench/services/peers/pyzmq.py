"""ZeroMQ by pyzmq: REQ and REP with orjson; a DEALER has many calls under way."""

from collections.abc import Callable

import orjson
import zmq


def serve(path: str, ready: Callable[[], None]) -> None:
    """Serve until the process is ended."""
    socket = zmq.Context().socket(zmq.REP)
    socket.bind(f"ipc://{path}")
    ready()
    while True:
        call = orjson.loads(socket.recv())
        socket.send(orjson.dumps({"pong": call["ping"]}))


def connect(path: str) -> tuple[Callable[[str], str], Callable[[str, int], list[str]]]:
    """Return what makes a call, and what makes many."""
    context = zmq.Context()
    request, dealer = context.socket(zmq.REQ), context.socket(zmq.DEALER)
    for socket in (request, dealer):
        socket.linger = 0
        socket.connect(f"ipc://{path}")

    def single(text: str) -> str:
        request.send(orjson.dumps({"ping": text}))
        pong: str = orjson.loads(request.recv())["pong"]
        return pong

    def many(text: str, count: int) -> list[str]:
        for _ in range(count):
            dealer.send_multipart([b"", orjson.dumps({"ping": text})])
        return [orjson.loads(dealer.recv_multipart()[1])["pong"] for _ in range(count)]

    return single, many
