"""What ``make demo`` shows: the example services, called for real, and how long a call takes."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import fastvarlink

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"
FLOOR = ROOT / "bench" / "floor"
VARLINK = Path(sys.executable).with_name("varlink")
# The calls of one sample, and the samples, of the Python client; seconds of a sample of the C one.
CALLS, SAMPLES, SECONDS = 4000, 7, "0.2"


def title(text: str) -> None:
    print(f"\n--- {text}", flush=True)


def command(*words: str, status: int = 0) -> None:
    """Show a command as one would type it, and run it. Its exit status must be the given one."""
    print("$", shlex.join(["varlink", *words]), flush=True)
    done = subprocess.run([VARLINK, *words], check=False, timeout=60)
    if done.returncode != status:
        sys.exit(f"The command ended with status {done.returncode} instead of {status}.")


@contextlib.contextmanager
def running(*words: str | Path) -> Iterator[None]:
    """A server, from the first line it prints to the end of the block."""
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            line = server.stdout.readline()
            if not line:
                sys.exit(f"{words[-1]} did not start.")
            yield
        finally:
            server.terminate()


def example(name: str, address: str) -> tuple[str | Path, ...]:
    return sys.executable, EXAMPLES / name, f"--varlink={address}"


def stream(address: str) -> None:
    """Print the replies of one call as they arrive, with the time since the call."""
    print("$", shlex.join(["varlink", "call", "--more", f"{address}/org.example.more.TestMore"]))
    with (
        fastvarlink.Client(address) as client,
        client.open("org.example.more") as connection,
    ):
        begin = time.monotonic()
        for reply in connection.TestMore(5, _more=True):
            arrived = (time.monotonic() - begin) * 1000
            print(f"{arrived:5.0f} ms  {json.dumps(reply['state'])}", flush=True)


def free_users_address() -> str:
    """tcp:127.0.0.1:8080, or a free port of that host when another program has it."""
    for port in (8080, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                print(f"Port {port} is taken by another program; a free one is used.")
            else:
                return f"tcp:127.0.0.1:{probe.getsockname()[1]}"
    sys.exit("The host 127.0.0.1 has no free port.")


def compile_floor(folder: str) -> dict[str, str]:
    """The C ping-pong's two programs, built into the folder."""
    compiler = next((name for name in ("cc", "gcc", "clang") if shutil.which(name)), "cc")
    built = {}
    for name in ("pong", "client"):
        built[name] = os.path.join(folder, name)
        source = FLOOR / f"{name}.c"
        subprocess.run([compiler, "-O2", "-o", built[name], source], check=True)
    return built


def latency(folder: str) -> None:
    """One line: a call between our client and server, and the C ping-pong of the same bytes.

    The median of samples that take turns, everything on one core.
    """
    floor = compile_floor(folder)
    core = min(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {core})
    pong, service = f"{folder}/pong.socket", f"{folder}/ping"
    ours, mixed, theirs = [], [], []

    def c_client(path: str) -> float:
        words = [floor["client"], path, "unary", SECONDS]
        return float(subprocess.run(words, check=True, capture_output=True, text=True).stdout)

    with (
        running(floor["pong"], pong),
        running(*example("ping.py", f"unix:{service}")),
        fastvarlink.Client(f"unix:{service}") as client,
        client.open("org.example.ping") as connection,
    ):
        for _ in range(SAMPLES):
            begin = time.perf_counter_ns()
            for _ in range(CALLS):
                connection.Ping("hello")
            ours.append((time.perf_counter_ns() - begin) / CALLS)
            mixed.append(c_client(service))
            theirs.append(c_client(pong))
    call, served, bare = (statistics.median(times) / 1000 for times in (ours, mixed, theirs))
    print(
        f"One call on one core: {call:.1f} us from Python to Python, {served:.1f} us from C to "
        f"Python; a C ping-pong of the same bytes: {bare:.1f} us "
        f"({call / bare:.2f} and {served / bare:.2f} times)"
    )


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="fastvarlink-") as folder:
        more = f"unix:{folder}/more"
        with running(*example("more.py", more)):
            title("A service on a unix socket")
            command("info", more)
            title("A call")
            command("call", f"{more}/org.example.more.Ping", '{"ping": "hello"}')
            title("A stream, live")
            stream(more)
            title("An error")
            command("call", "--more", f"{more}/org.example.more.TestMore", '{"n": 0}', status=1)
        title("A service over TCP")
        users = free_users_address()
        with running(*example("users.py", users)):
            command("call", f"{users}/io.example.user.UserService.GetUserInfo",
                    '{"username": "john_doe"}')  # fmt: skip
            subprocess.run([*example("users.py", users), "--client"], check=True, timeout=60)
        title("Speed")
        latency(folder)


if __name__ == "__main__":
    main()
