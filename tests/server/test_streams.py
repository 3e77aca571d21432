"""Standard input and output as one connection (rule S3)."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from fastvarlink.server.streams import StandardStreams

from .programs import PATIENCE, PROGRAM, environment, started

CALL = b'{"method":"org.example.program.Say","parameters":{"text":"%s"}}\0'


def read_frame(fd: int) -> Any:
    found = b""
    while not found.endswith(b"\0"):
        data = os.read(fd, 1)
        assert data, found
        found += data
    return json.loads(found[:-1])


def test_pipes() -> None:
    with started(PROGRAM, "streams") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        for text in ("one", "two"):
            process.stdin.write(CALL % text.encode())
            process.stdin.flush()
            assert read_frame(process.stdout.fileno()) == {"parameters": {"text": text}}
        process.stdin.close()
        # Nothing but replies, also of what is printed when the connection is over.
        assert process.stdout.read() == b""
        assert process.wait(PATIENCE) == 0
        assert process.stderr.read() == b"one\ntwo\nserved\n"


@pytest.mark.parametrize("same", [True, False])
def test_sockets(same: bool) -> None:
    ours, theirs = socket.socketpair()
    back, forth = socket.socketpair()
    with ours, theirs, back, forth:
        process = subprocess.Popen(
            [sys.executable, PROGRAM, "streams"],
            env=environment(),
            stdin=theirs.fileno(),
            stdout=(theirs if same else forth).fileno(),
            stderr=subprocess.PIPE,
        )
        theirs.close()
        forth.close()
        ours.sendall(CALL % b"one")
        assert read_frame((ours if same else back).fileno()) == {"parameters": {"text": "one"}}
        ours.shutdown(socket.SHUT_WR)
        assert (ours if same else back).recv(1) == b""
        assert process.communicate(timeout=PATIENCE)[1] == b"one\nserved\n"
        assert process.returncode == 0


@pytest.mark.parametrize("redirection", ["2>&-", "<&-", ">&-"])
def test_streams_that_are_closed(redirection: str) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", f'"$0" "$@" {redirection}', sys.executable, PROGRAM, "streams"],
        env=environment(),
        input=CALL % b"one",
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    if redirection == "2>&-":
        assert (done.stdout, done.returncode) == (b'{"parameters":{"text":"one"}}\0', 0)
    else:
        assert done.returncode == 1
        assert b"Bad file descriptor" in done.stderr


@pytest.fixture
def ends() -> Iterator[tuple[StandardStreams, int, int]]:
    """A connection, where it can be written to and where it can be read from."""
    reader, there = os.pipe()
    here, writer = os.pipe()
    for fd in (reader, writer):
        os.set_blocking(fd, False)
    connection = StandardStreams(reader, writer)
    yield connection, there, here
    connection.close()
    for fd in (there, here):
        os.close(fd)


def test_descriptors_that_do_not_block(ends: tuple[StandardStreams, int, int]) -> None:
    connection, there, here = ends
    received: list[bytes] = []
    reading = threading.Thread(target=lambda: received.append(connection.recv(10)))
    reading.start()
    os.write(there, b"in")
    reading.join(PATIENCE)
    assert received == [b"in"]
    # More than a pipe holds.
    data = bytes(range(256)) * 4096
    writing = threading.Thread(target=connection.sendall, args=(data,))
    writing.start()
    with open(here, "rb", closefd=False) as back:
        assert back.read(len(data)) == data
    writing.join(PATIENCE)
    assert not writing.is_alive()


def test_ending_one_direction(ends: tuple[StandardStreams, int, int]) -> None:
    connection, there, here = ends
    assert connection.gettimeout() is None
    connection.shutdown(socket.SHUT_WR)
    assert os.read(here, 1) == b""
    with pytest.raises(OSError, match="Bad file descriptor"):
        connection.sendall(b"x")
    os.write(there, b"in")
    assert connection.recv(1) == b"i"
    connection.close()
    connection.close()
    assert connection.fileno() == -1
    with pytest.raises(BrokenPipeError):
        os.write(there, b"x")
