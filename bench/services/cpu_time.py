"""Print the nanoseconds of processor time that a server takes for a call.

Usage: cpu_time.py PID SOCKET SECONDS
The server is process PID, and answers small calls of org.example.ping one at a time meanwhile.
"""

import socket
import sys
import time

CALL = b'{"method":"org.example.ping.Ping","parameters":{"ping":"hello"}}\0'
BATCH = 50


def taken_by(process: int) -> int:
    """Return the processor time of all threads of a process; Linux makes a clock's number of its number."""
    return time.clock_gettime_ns((~process << 3) | 2)


def main() -> None:
    """Call until the seconds have passed, after a fifth of them to warm up."""
    _, pid, path, seconds = sys.argv
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)

        def call() -> None:
            connection.send(CALL)
            answer = connection.recv(4096)
            if not answer.endswith(b"\0") or b'"pong"' not in answer:
                raise SystemExit(f"The call was answered with {answer!r}.")

        for span in (float(seconds) / 5, float(seconds)):
            done, begin, end = 0, taken_by(int(pid)), time.monotonic() + span
            while time.monotonic() < end:
                for _ in range(BATCH):
                    call()
                done += BATCH
            taken = taken_by(int(pid)) - begin
    print(f"{taken / done:.1f}")


main()
