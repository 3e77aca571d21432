"""Print the bytes of memory that a connection takes of a server which has answered one call on it.

Usage: idle_memory.py SOCKET CONNECTIONS COMMAND...
The command is a server's, which prints "ready"; it is ended again. Memory is what is the process's alone.
What the first connections cost once is not counted.
"""

import socket
import subprocess
import sys
from pathlib import Path

CALL = b'{"method":"org.example.ping.Ping","parameters":{"ping":"hello"}}\0'
FIRST = 10


def connect(path: str) -> socket.socket:
    """Open a connection, and have a call answered on it."""
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(path)
    connection.sendall(CALL)
    answer = connection.recv(4096)
    if not answer.endswith(b"\0") or b'"pong"' not in answer:
        raise SystemExit(f"The call was answered with {answer!r}.")
    return connection


def memory_of(process: int) -> int:
    """Return the bytes that are of the process alone."""
    lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) << 10 for line in lines if line.startswith("Private_"))


def main() -> None:
    """Start the server, measure, and end it."""
    _, path, count, *command = sys.argv
    Path(path).unlink(missing_ok=True)
    with subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *command], stdout=subprocess.PIPE) as server:
        try:
            if not server.stdout or server.stdout.readline() != b"ready\n":
                raise SystemExit("The server ended before it was ready.")
            held = [connect(path) for _ in range(FIRST)]
            before = memory_of(server.pid)
            held += [connect(path) for _ in range(int(count))]
            taken = memory_of(server.pid) - before
        finally:
            server.kill()
    for connection in held:
        connection.close()
    print(f"{taken / int(count):.1f}")


main()
