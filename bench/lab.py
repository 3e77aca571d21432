"""Build the contestants, start their servers on fresh sockets, run their clients, end everything.

Every process that is measured is pinned to one core: the same one for both sides, unless clients get another.
"""

import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from interpreters import CACHE, find_fastvarlink, find_module, find_varlink
from programs import command_output, end, last_line, wait_until_ready
from rounds import FailedRunError, MissingPeerError, Run
from systemd import program_of_systemd, wait_and_stay

HERE = Path(__file__).resolve().parent
OPEN_FILES = 4096
BUSY_POLL = "0.001"  # seconds
FASTVARLINK, PYTHON_VARLINK, ASYNCVARLINK, UVLOOP = "fastvarlink", "varlink", "asyncvarlink", "uvloop"


class Lab:
    """The temporary folder, what was built into it, and the servers that run from it."""

    def __init__(self, core: str, client_core: str | None = None) -> None:
        """Measure on the given core, clients perhaps on another; raise MissingPeerError without taskset."""
        if shutil.which("taskset") is None:
            raise MissingPeerError("taskset is not installed; install util-linux")
        self.core, self.client_core = core, client_core or core
        self.pin = ["taskset", "-c", core]
        self.client_pin = ["taskset", "-c", self.client_core]
        self.folder = Path(tempfile.mkdtemp(prefix="fvl-bench-"))
        self.servers: dict[str, tuple[subprocess.Popen[str], str]] = {}
        self.known: dict[str, str | MissingPeerError] = {}
        self.held: list[socket.socket] = []
        # Servers and clients inherit it: a thousand connections are more than the usual limit.
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft < OPEN_FILES:
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(OPEN_FILES, hard), hard))

    def __enter__(self) -> Self:
        """Return the lab."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End every server and remove the folder."""
        for process, _ in self.servers.values():
            end(process)
        for connection in self.held:
            connection.close()
        shutil.rmtree(self.folder)

    def floor(self, name: str) -> str:
        """Compile one of the floor programs, once, and return its path."""
        return self.once(f"floor/{name}", lambda: self.compile_floor(name))

    def compile_floor(self, name: str) -> str:
        if shutil.which("cc") is None:
            raise MissingPeerError("cc is not installed; install gcc")
        target = self.folder / name
        try:
            command_output(["cc", "-O2", "-o", str(target), str(HERE / "floor" / f"{name}.c")])
        except FailedRunError as reason:
            raise MissingPeerError(f"cc could not build {name}.c: {reason}") from None
        return str(target)

    def go_service(self) -> str:
        """Build the Go service, once, and return its path."""
        return self.once("go", self.compile_go)

    def compile_go(self) -> str:
        if shutil.which("go") is None:
            raise MissingPeerError("go is not installed; install golang-go")
        gopath = os.environ.get("FASTVARLINK_BENCH_GOPATH", "/usr/share/gocode")
        if not Path(gopath, "src/github.com/varlink/go/varlink").is_dir():
            raise MissingPeerError(
                f"no github.com/varlink/go below {gopath}; install golang-github-varlink-go-dev,"
                " or name another folder in FASTVARLINK_BENCH_GOPATH"
            )
        target = self.folder / "go-ping"
        try:
            command_output(
                ["go", "build", "-o", str(target), str(HERE / "go" / "main.go")],
                GO111MODULE="off",
                GOPATH=gopath,
                GOFLAGS="",
                GOCACHE=str(CACHE / "go-build"),
            )
        except FailedRunError as reason:
            raise MissingPeerError(f"go could not build the service: {reason}") from None
        return str(target)

    def python_of(self, library: str) -> str:
        """Return the interpreter with the library; raise MissingPeerError where none has it."""
        find = {FASTVARLINK: find_fastvarlink, PYTHON_VARLINK: find_varlink}
        return self.once(library, find.get(library, partial(find_module, library)))

    def once(self, name: str, make: Callable[[], str]) -> str:
        """Make something the first time, and remember it or the reason why it is missing."""
        if name not in self.known:
            try:
                self.known[name] = make()
            except MissingPeerError as reason:
                self.known[name] = reason
        found = self.known[name]
        if isinstance(found, MissingPeerError):
            raise found
        return found

    def server(self, kind: str) -> str:
        """Start a server of the kind if none runs yet, and return its socket's path.

        Kinds are those of server_command.
        """
        if kind in self.servers and self.servers[kind][0].poll() is None:
            return self.servers[kind][1]
        path = str(self.folder / f"{kind.replace(' ', '-')}-{len(self.servers)}.socket")
        command = self.server_command(kind, path)
        log = self.folder / f"{kind}.log"
        with log.open("w") as errors:
            process = subprocess.Popen(
                [*self.pin, *command],
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env={**os.environ, "SYSTEMD_VARLINK_LISTEN": path},
            )
        try:
            if kind.startswith("systemd-"):
                self.held.append(wait_and_stay(process, path))
            else:
                wait_until_ready(process, path)
        except FailedRunError as reason:
            end(process)
            raise FailedRunError(f"{reason}: {last_line(log.read_text())}") from None
        self.servers[kind] = (process, path)
        return path

    def server_command(self, kind: str, path: str) -> list[str]:
        """Return the words that start a server of the kind.

        Kinds are pong, crowd, echo, go, fastvarlink, varlink and systemd-creds, busy for fastvarlink with a
        busy poll, the three words that way_service.py takes, and "peer NAME" for one of services/peers.
        """
        services = HERE / "services"
        if kind in {"pong", "crowd", "echo"}:
            return [self.floor(kind), path]
        if kind == "busy":
            python = self.python_of(FASTVARLINK)
            return [python, str(services / "ping_service.py"), FASTVARLINK, f"unix:{path}", BUSY_POLL]
        if kind == "go":
            return [self.go_service(), f"unix:{path}", str(HERE / "org.example.ping.varlink")]
        if kind.startswith("systemd-"):
            return program_of_systemd(f"usr/bin/{kind}")
        if kind.startswith("peer "):
            name = kind.removeprefix("peer ")
            return [self.python_of(name), str(services / "peer.py"), name, "server", path]
        if " " in kind:
            python = self.python_of(UVLOOP if "uvloop" in kind else FASTVARLINK)
            return [python, str(services / "way_service.py"), *kind.split(), f"unix:{path}"]
        return [self.python_of(kind), str(services / "ping_service.py"), kind, f"unix:{path}"]

    def c_client(self, server: str, *arguments: str) -> Run:
        """Return a run of the C client against a server."""
        path = self.server(server)
        return self.run([self.floor("client"), path, *arguments])

    def tail(self, server: str, *arguments: str) -> Run:
        """Return a run that finds how long the slowest calls take beside handlers that block."""
        path = self.server(server)
        return self.run([self.floor("tail"), path, *arguments])

    def task_pair(self, library: str, loop: str, *arguments: str) -> Run:
        """Return a run of a client and a server in one event loop."""
        if loop == UVLOOP:
            self.python_of(UVLOOP)
        python = self.python_of(FASTVARLINK if library in {"streamed", "buffered"} else library)
        return self.run([python, str(HERE / "services" / "task_pair.py"), library, loop, *arguments])

    def python_client(self, library: str, *arguments: str, server: str = "") -> Run:
        """Return a run of a library's blocking client against its own server, or the one that is named."""
        address = f"unix:{self.server(server or library)}"
        script = str(HERE / "services" / "ping_client.py")
        return self.run([self.python_of(library), script, library, address, *arguments])

    def command(self, library: str, how: list[str], words: list[str]) -> Run:
        """Return a run of a Python program as a process, with {address} in its words for our server's."""
        address = f"unix:{self.server(FASTVARLINK)}"
        script = str(HERE / "services" / "command_run.py")
        filled = [word.replace("{address}", address) for word in words]
        return self.run([sys.executable, script, *how, self.python_of(library), *filled])

    def varlinkctl(self, runs: str, *words: str) -> Run:
        """Return a run of varlinkctl, with a call to our server."""
        address = f"unix:{self.server(FASTVARLINK)}"
        script = str(HERE / "services" / "command_run.py")
        program = program_of_systemd("usr/bin/varlinkctl")
        return self.run([sys.executable, script, runs, *program, "call", address, *words])

    def importing(self, runs: str, library: str, statement: str) -> Run:
        """Return a run of an interpreter that does nothing but import, by the statement."""
        script = str(HERE / "services" / "command_run.py")
        return self.run([sys.executable, script, runs, self.python_of(library), "-c", statement])

    def json_floor(self, *arguments: str) -> Run:
        """Return a run of orjson alone, in this interpreter."""
        return self.run([sys.executable, str(HERE / "services" / "json_floor.py"), *arguments])

    def reader(self, library: str, *arguments: str) -> Run:
        """Return a run of a library that reads a definition."""
        script = str(HERE / "services" / "parse.py")
        return self.run([self.python_of(library), script, library, *arguments])

    def checker(self, *arguments: str) -> Run:
        """Return a run that decodes a call, and perhaps checks it."""
        self.python_of(FASTVARLINK)
        return self.run([sys.executable, str(HERE / "services" / "check.py"), *arguments])

    def many(self, server: str, *arguments: str) -> Run:
        """Return a run of the C client with many connections."""
        path = self.server(server)
        return self.run([self.floor("many"), path, *arguments])

    def peer(self, name: str, mode: str, seconds: str) -> Run:
        """Return a run of another library's client against its own server."""
        path = self.server(f"peer {name}")
        return self.run([self.python_of(name), str(HERE / "services" / "peer.py"), name, mode, path, seconds])

    def cpu_time(self, server: str, seconds: str) -> Run:
        """Return a run that finds the processor time that a server takes for a call."""
        path = self.server(server)
        script = str(HERE / "services" / "cpu_time.py")
        return self.run([sys.executable, script, str(self.servers[server][0].pid), path, seconds])

    def idle_memory(self, server: str, connections: str) -> Run:
        """Return a run that starts a server of its own, and finds what an idle connection takes of memory."""
        path = str(self.folder / f"idle-{server}.socket")
        command = self.server_command(server, path)
        script = str(HERE / "services" / "idle_memory.py")
        return self.run([sys.executable, script, path, connections, *command])

    def c_latencies(self, server: str, seconds: str, shares: list[str]) -> list[Run]:
        """Return runs that share one of the C client, a run for each figure that it prints."""
        path = self.server(server)
        return self.shared_run([self.floor("latency"), path, seconds, *shares], len(shares))

    def python_latencies(self, library: str, seconds: str, shares: list[str]) -> list[Run]:
        """Likewise for a library's blocking client against its own server."""
        address = f"unix:{self.server(library)}"
        script = str(HERE / "services" / "ping_client.py")
        command = [self.python_of(library), script, library, address, "latency", seconds, *shares]
        return self.shared_run(command, len(shares))

    def shared_run(self, command: list[str], count: int) -> list[Run]:
        """Return runs for the lines that a command prints: the first runs it, the others take theirs."""
        printed: list[float] = []

        def first() -> float:
            printed.clear()
            printed.extend(map(float, command_output([*self.client_pin, *command]).split()))
            return printed[0]

        def later(place: int) -> float:
            if place >= len(printed):
                raise FailedRunError("the run that this is a figure of has failed")
            return printed[place]

        return [first, *(partial(later, place) for place in range(1, count))]

    def run(self, command: list[str]) -> Run:
        return lambda: float(command_output([*self.client_pin, *command]))
