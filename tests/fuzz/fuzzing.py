"""What the fuzz targets have in common: their arguments, and the pieces in which bytes arrive."""

from __future__ import annotations

import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import atheris

#: Bytes of a piece. A read always has room for the first, which is as long as the fuzzer's inputs get; the
#: others have no divisor in common, so that they cut at other places.
SIZES = (4096, 143, 137)
#: Levels of JSON. Near the decoder's limit (rule F8) it matters whether a message is read whole or in parts.
DEEPEST = 900


def fuzz(target: Callable[[bytes], None]) -> None:
    """Run a target with libFuzzer's arguments from the command line; does not return."""
    arguments = sys.argv[1:]
    with tempfile.TemporaryDirectory() as found:
        if any(Path(each).is_dir() for each in arguments):
            # The fuzzer writes to the first folder, and those that are given stay as they are.
            arguments.insert(0, found)
        atheris.Setup([sys.argv[0], *arguments], target)
        atheris.Fuzz()


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    """The bytes in pieces of the given size."""
    return (data[start : start + size] for start in range(0, len(data), size))


def arrive(data: bytes, size: int) -> tuple[socket.socket, socket.socket]:
    """A socket at which the bytes wait, one piece for each read, and then their end; and its peer.

    What is written to the first can be read from the peer; it has room for the replies to the largest input.
    """
    # Packets: a stream would put the pieces together again.
    here, peer = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    here.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    for piece in pieces(data, size):
        peer.send(piece)
    peer.shutdown(socket.SHUT_WR)
    return here, peer
