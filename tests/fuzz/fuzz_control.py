"""Feeds a server's connection with descriptors in all places of its messages. It needs atheris.

    python tests/fuzz/fuzz_control.py -max_total_time=60 tests/fuzz/corpus/control

An input says how calls are cut into pieces, and how many descriptors go with each piece: the two lowest bits
of a byte are that number, the others the size of the piece. The arguments are those of fuzz_idl.py.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
from typing import Any

import atheris
from fuzzing import fuzz

with atheris.instrument_imports(include=["fastvarlink"]):
    import orjson

    import fastvarlink
    from fastvarlink._core.terms import Terms
    from fastvarlink._core.waiting import WaitingConnection

#: Calls of different sizes; the shorter ones fit into a piece together.
CALLS = [
    b'{"method":"a.b.Take","parameters":{"text":"' + b"x" * size + b'"}}\0'
    for size in (0, 70, 3, 150, 0, 0, 40, 1)
]
STARTS = {sum(map(len, CALLS[:i])): i for i in range(len(CALLS))}
STREAM = b"".join(CALLS)
TERMS = Terms(fastvarlink.Limits(frame_timeout=None))

service = fastvarlink.Service("Example", "Fuzz", "1", "https://example.org/")


@service.interface("interface a.b\nmethod Take(text: string) -> (marks: []int)\n", descriptors=True)
class Handler:
    """Tells which descriptors came, by the number that each counts."""

    def Take(self, text: str, _descriptors: fastvarlink.Descriptors) -> dict[str, Any]:
        return {"marks": [os.eventfd_read(fd) for fd in _descriptors]}


def sent(data: bytes, peer: socket.socket) -> dict[int, list[int]]:
    """Send the calls as the input says: the marks of the descriptors that were sent, by their offsets."""
    marks: dict[int, list[int]] = {}
    offset = mark = 0
    for byte in data:
        size, count = (byte >> 2) + 1, byte & 3
        piece = STREAM[offset : offset + size]
        if not piece:
            break
        fds = [os.eventfd(mark + i + 1) for i in range(count)]
        socket.send_fds(peer, [piece], fds)
        for fd in fds:
            os.close(fd)
        if fds:
            marks[offset] = [mark + i + 1 for i in range(count)]
            mark += count
        offset += len(piece)
    peer.sendall(STREAM[offset:])
    peer.shutdown(socket.SHUT_WR)
    return marks


def expected(marks: dict[int, list[int]]) -> list[list[int]]:
    """The descriptors of each call that is answered: those sent with its first byte (rules D2, D3)."""
    # What comes in the middle of a message is the end of it and of the connection.
    end = min((offset for offset in marks if offset not in STARTS), default=len(STREAM))
    return [marks.get(start, []) for start, i in STARTS.items() if start + len(CALLS[i]) <= end]


def answers(peer: socket.socket) -> list[list[int]]:
    """The descriptors of each call that was answered."""
    data = b""
    # A connection that is closed with something unread is reset.
    with contextlib.suppress(ConnectionResetError):
        while received := peer.recv(1 << 16):
            data += received
    *replies, rest = data.split(b"\0")
    assert not rest
    return [orjson.loads(reply)["parameters"]["marks"] for reply in replies]


def check(data: bytes) -> None:
    """What is sent at the first byte of a call is the call's, and nothing is left open."""
    before = len(os.listdir("/proc/self/fd"))
    here, peer = socket.socketpair()
    with here, peer:
        # Nobody reads before all is written, and each piece takes the room of a larger one.
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 21)
        marks = sent(data, peer)
        WaitingConnection(here, None, service._table, TERMS, rights=True).serve()
        here.close()
        found = answers(peer)
    assert found == expected(marks), (found, expected(marks), marks)
    assert len(os.listdir("/proc/self/fd")) == before


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    fuzz(check)
