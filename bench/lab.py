"""Build the contestants, start their servers on fresh sockets, run their clients, end everything.

Every process that is measured is pinned to one core, the same one for both sides.
"""

import os
import select
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Self

from rounds import FailedRunError, MissingPeerError, Run

HERE = Path(__file__).resolve().parent
CACHE = HERE.parent / ".cache" / "bench"
VARLINK = "31.0.0"
PATIENCE = 120  # seconds until a build, a start or a client counts as hung
FASTVARLINK, PYTHON_VARLINK, ASYNCVARLINK, UVLOOP = "fastvarlink", "varlink", "asyncvarlink", "uvloop"


def last_line(text: str) -> str:
    """Return the last line with something on it: where programs say what went wrong."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no message"


def command_output(command: list[str], **environment: str) -> str:
    """Run a command and return what it printed; raise FailedRunError with its last words."""
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
            env={**os.environ, **environment},
        )
    except subprocess.TimeoutExpired:
        raise FailedRunError(f"{Path(command[0]).name} was not done after {PATIENCE} s") from None
    if done.returncode:
        raise FailedRunError(f"{last_line(done.stderr)} (exit status {done.returncode})")
    return done.stdout


class Lab:
    """The temporary folder, what was built into it, and the servers that run from it."""

    def __init__(self, core: str) -> None:
        """Measure on the given core; raise MissingPeerError without taskset."""
        if shutil.which("taskset") is None:
            raise MissingPeerError("taskset is not installed; install util-linux")
        self.pin = ["taskset", "-c", core]
        self.folder = Path(tempfile.mkdtemp(prefix="fvl-bench-"))
        self.servers: dict[str, tuple[subprocess.Popen[str], str]] = {}
        self.known: dict[str, str | MissingPeerError] = {}

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

        Kinds are pong, echo, go, fastvarlink and varlink, and the three words that way_service.py takes.
        """
        if kind in self.servers and self.servers[kind][0].poll() is None:
            return self.servers[kind][1]
        path = str(self.folder / f"{kind.replace(' ', '-')}-{len(self.servers)}.socket")
        if kind in {"pong", "echo"}:
            command = [self.floor(kind), path]
        elif kind == "go":
            command = [self.go_service(), f"unix:{path}", str(HERE / "org.example.ping.varlink")]
        elif " " in kind:
            command = [
                self.python_of(UVLOOP if "uvloop" in kind else FASTVARLINK),
                str(HERE / "services" / "way_service.py"),
                *kind.split(),
                f"unix:{path}",
            ]
        else:
            script = str(HERE / "services" / "ping_service.py")
            command = [self.python_of(kind), script, kind, f"unix:{path}"]
        log = self.folder / f"{kind}.log"
        with log.open("w") as errors:
            process = subprocess.Popen(
                [*self.pin, *command], stdout=subprocess.PIPE, stderr=errors, text=True
            )
        try:
            wait_until_ready(process, path)
        except FailedRunError as reason:
            end(process)
            raise FailedRunError(f"{reason}: {last_line(log.read_text())}") from None
        self.servers[kind] = (process, path)
        return path

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

    def json_floor(self, *arguments: str) -> Run:
        """Return a run of orjson alone, in this interpreter."""
        command_output([sys.executable, "-c", "import orjson"])
        return self.run([sys.executable, str(HERE / "services" / "json_floor.py"), *arguments])

    def reader(self, library: str, *arguments: str) -> Run:
        """Return a run of a library that reads a definition."""
        script = str(HERE / "services" / "parse.py")
        return self.run([self.python_of(library), script, library, *arguments])

    def checker(self, *arguments: str) -> Run:
        """Return a run that decodes a call, and perhaps checks it."""
        self.python_of(FASTVARLINK)
        return self.run([sys.executable, str(HERE / "services" / "check.py"), *arguments])

    def run(self, command: list[str]) -> Run:
        return lambda: float(command_output([*self.pin, *command]))


def end(process: subprocess.Popen[str]) -> None:
    """End a process that we started, by force where asking does not help."""
    process.terminate()
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout:
        process.stdout.close()


def wait_until_ready(process: subprocess.Popen[str], path: str) -> None:
    """Wait for the line that a server prints once it listens, then connect to make sure."""
    if process.stdout is None:
        raise FailedRunError("the server has no output to wait for")
    if not select.select([process.stdout], [], [], PATIENCE)[0]:
        raise FailedRunError(f"the server was not ready after {PATIENCE} s")
    if process.stdout.readline() != "ready\n":
        raise FailedRunError("the server ended before it was ready")
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(path)
        except OSError as error:
            raise FailedRunError(f"the server said it was ready but {path} gives {error}") from None


def find_fastvarlink() -> str:
    try:
        command_output([sys.executable, "-c", "import fastvarlink.server, fastvarlink.client"])
    except FailedRunError as reason:
        raise MissingPeerError(f"{reason}; install this project into {sys.executable}") from None
    return sys.executable


def find_module(name: str) -> str:
    try:
        command_output([sys.executable, "-c", f"import {name}"])
    except FailedRunError:
        raise MissingPeerError(f"{name} is not installed; install it into {sys.executable}") from None
    return sys.executable


def find_varlink() -> str:
    """Return an interpreter that has python-varlink: the one named, or one made here."""
    named = os.environ.get("FASTVARLINK_BENCH_VARLINK_PYTHON")
    python = named or str(CACHE / f"varlink-{VARLINK}" / "bin" / "python")
    try:
        if not named and not Path(python).exists():
            command_output([sys.executable, "-m", "venv", str(Path(python).parent.parent)])
        if not named and varlink_version(python) is None:
            pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            command_output([*pip, f"varlink=={VARLINK}"])
        if varlink_version(python) is None:
            raise MissingPeerError(f"{python} has no package varlink; run pip install varlink=={VARLINK}")
    except (FailedRunError, OSError) as reason:
        raise MissingPeerError(
            f"python-varlink {VARLINK} could not be set up: {reason}; name an interpreter that has"
            " it in FASTVARLINK_BENCH_VARLINK_PYTHON"
        ) from None
    return python


def varlink_version(python: str) -> str | None:
    """Return the version of python-varlink in an interpreter, or None."""
    code = "import importlib.metadata as m; print(m.version('varlink'))"
    try:
        return command_output([python, "-c", code]).strip()
    except FailedRunError:
        return None


def describe_machine(lab: Lab) -> list[str]:
    """Return what the figures depend on: processor, kernel and versions."""
    processor = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            processor = line.partition(":")[2].strip()
            break
    parts = [f"Python {sys.version.split()[0]}"]
    for package in ("fastvarlink", "orjson", "asyncvarlink", "uvloop", "pytest-benchmark"):
        try:
            parts.append(f"{package} {version(package)}")
        except ModuleNotFoundError:
            parts.append(f"{package} missing")
    try:
        python = lab.python_of(PYTHON_VARLINK)
        theirs = command_output([python, "-c", "import sys; print(sys.version.split()[0])"])
        parts.append(f"python-varlink {varlink_version(python)} on Python {theirs.strip()}")
    except (MissingPeerError, FailedRunError):
        parts.append("python-varlink missing")
    for command in (["cc", "--version"], ["go", "version"]):
        if shutil.which(command[0]):
            parts.append(command_output(command).splitlines()[0])
        else:
            parts.append(f"{command[0]} missing")
    load = " ".join(f"{value:.2f}" for value in os.getloadavg())
    core = " ".join(lab.pin)
    uname = os.uname()
    return [
        f"{processor}, {os.cpu_count()} cores, {uname.sysname} {uname.release}, load {load}",
        ", ".join(parts),
        f"every measured process under {core}",
    ]
