"""Instructions per call, counted by valgrind, against the figures of bench/instructions.json.

    python bench/count.py [--update] [--keep FOLDER]

Counts in user space what one side does, while the other runs outside valgrind, both on one core; for asyncio
both sides, which share a loop. Ends with 1 where a figure has grown by more than 5 % and the newest section
of CHANGELOG.md does not say that it may, with 2 where nothing could be counted. --update writes the file
anew; --keep leaves the profiles for callgrind_annotate and bench/budget.py.
"""

import argparse
import os
import platform
import re
import shutil
import socket
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import instructions
from instructions import Figures
from lab import command_output, end, wait_until_ready
from rounds import FailedRunError

import fastvarlink._core.framing as core

HERE = Path(__file__).resolve().parent
SERVICES = HERE / "services"
FILE = HERE / "instructions.json"
CHANGELOG = HERE.parent / "CHANGELOG.md"
PATIENCE = 300

# As in services/counted.py.
WARM, SHORT, LONG = 512, 1024, 3072
WINDOW = 64

PING = b'{"method":"org.example.ping.Ping","parameters":{"ping":"hello"}}\0'
COUNT = b'{"method":"org.example.ping.Count","more":true,"parameters":{"n":%d}}\0'
MARK = b'{"method":"org.example.ping.Mark","parameters":{"name":"%s"}}\0'

# What counts as one line of the table: the role of services/counted.py that is counted, and its workload.
ROWS = {
    "unary server": ("server", "unary"),
    "window server": ("server", "window"),
    "stream server": ("server", "stream"),
    "intercepted server": ("intercepted", "window"),
    "unary client": ("client", "unary"),
    "pipeline client": ("client", "pipeline"),
    "stream client": ("client", "stream"),
    "asyncio pair": ("tasks", "unary"),
}


def build_name() -> str:
    """Return what a figure is bound to: how Python was built, the machine, and the core's compiler."""
    comment = re.search(rb"GCC: \([^)]*\) (\d+)|clang version (\d+)", Path(core.__file__).read_bytes())
    compiler = "another compiler"
    if comment:
        compiler = f"gcc {comment[1].decode()}" if comment[1] else f"clang {comment[2].decode()}"
    python = f"{platform.python_implementation()} {platform.python_version()}"
    optimised = "--enable-optimizations" in (sysconfig.get_config_var("CONFIG_ARGS") or "")
    profiled = ", profiled" if optimised else ""
    return f"{python} by {platform.python_compiler()}{profiled}; {platform.machine()}; core by {compiler}"


def versions() -> dict[str, str]:
    """Return what else a figure depends on, and may change without a change here."""
    return {"orjson": version("orjson"), "libc": " ".join(platform.libc_ver())}


class Counting:
    """A folder for what is built, listened on and written down."""

    def __init__(self, folder: Path, core_number: str) -> None:
        """Build what makes marks; raise FailedRunError where it cannot be."""
        self.folder = folder
        self.pin = ["taskset", "-c", core_number]
        self.marks = str(folder / "marks.so")
        command_output(["cc", "-O2", "-shared", "-fPIC", "-o", self.marks, str(SERVICES / "marks.c")])
        # Nothing of the caller's environment but what finds the interpreter's packages.
        kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
        self.environment = {**kept, "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
        self.number = 0

    def command(self, role: str, path: str) -> list[str]:
        """Return what runs a role of counted.py."""
        return [*self.pin, sys.executable, str(SERVICES / "counted.py"), role, self.marks, f"unix:{path}"]

    def counted(self, role: str) -> Figures:
        """Run a role under valgrind, with what it needs beside it, and return its figures by workload."""
        self.number += 1
        path = str(self.folder / f"{self.number}.socket")
        out = self.folder / f"{self.number}-{role}"
        out.mkdir()
        valgrind = ["valgrind", "-q", "--tool=callgrind", "--instr-atstart=no"]
        valgrind += [f"--callgrind-out-file={out}/profile"]
        program = [*valgrind, *self.command(role, path)[len(self.pin) :]]
        if role in {"server", "intercepted"}:
            self.beside([*self.pin, *program], path, lambda: drive(path))
        elif role == "client":
            self.beside(self.command("server", path), path, lambda: self.run(program))
        else:
            self.run(program)
        counts = instructions.read_profiles(file.read_text("utf-8") for file in out.iterdir())
        return {
            name: instructions.per_call(counts, workload, LONG - SHORT)
            for name, (its_role, workload) in ROWS.items()
            if its_role == role
        }

    def run(self, program: list[str]) -> None:
        """Run a program to its end."""
        done = subprocess.run(
            [*self.pin, *program],
            env=self.environment,
            stderr=subprocess.PIPE,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        if done.returncode:
            raise FailedRunError(f"{program[-3]} ended with {done.returncode}:\n{done.stderr}")

    def beside(self, server: list[str], path: str, job: Callable[[], None]) -> None:
        """Do a job while a server runs."""
        with subprocess.Popen(server, env=self.environment, stdout=subprocess.PIPE, text=True) as process:
            try:
                wait_until_ready(process, path)
                job()
            finally:
                end(process)


def drive(path: str) -> None:
    """Call a server that is counted, and tell it where runs end."""
    with socket.socket(socket.AF_UNIX) as stream:
        stream.settimeout(PATIENCE)
        stream.connect(path)

        def exchange(calls: bytes, replies: int) -> None:
            stream.sendall(calls)
            while replies > 0:
                received = stream.recv(65536)
                if not received or b'"error"' in received:
                    raise FailedRunError(f"the server answered {received!r}")
                replies -= received.count(b"\0")

        def unary(calls: int) -> None:
            for _ in range(calls):
                exchange(PING, 1)

        def window(calls: int) -> None:
            for _ in range(calls // WINDOW):
                exchange(PING * WINDOW, WINDOW)

        def replies(number: int) -> None:
            exchange(COUNT % number, number)

        for name, workload in ((b"unary", unary), (b"window", window), (b"stream", replies)):
            workload(WARM)
            exchange(MARK % b"ready", 1)
            workload(SHORT)
            exchange(MARK % (name + b" short"), 1)
            workload(LONG)
            exchange(MARK % (name + b" long"), 1)


def measure(folder: Path, core_number: str, committed: Figures, excuses: Figures) -> Figures:
    """Return all figures. A role with one that has grown is counted again, and the smaller counts."""
    counting = Counting(folder, core_number)
    figures: Figures = {}
    for role in ("server", "intercepted", "client", "tasks"):
        found = counting.counted(role)
        if any(row.verdict == "GREW" for row in instructions.compare(found, committed, excuses)):
            again = counting.counted(role)
            found = {name: min(figure, again[name]) for name, figure in found.items()}
        figures |= found
    return {name: figures[name] for name in ROWS}


def missing_tools() -> str | None:
    """Return what has to be installed, in one sentence."""
    packages = {"valgrind": "valgrind", "taskset": "util-linux", "cc": "gcc"}
    for tool, package in packages.items():
        if shutil.which(tool) is None:
            return f'Missing: {tool}. Install with "apt-get install {package}".'
    return None


def main() -> int:
    """Count, print the table, and return the exit status."""
    parser = argparse.ArgumentParser(description="Counts instructions per call, and compares them.")
    parser.add_argument("--update", action="store_true", help="write bench/instructions.json anew")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="leave the profiles in this new folder")
    options = parser.parse_args()
    if missing := missing_tools():
        print(missing, file=sys.stderr)
        return 2
    build, used = build_name(), versions()
    content = instructions.load(FILE)
    entry = content.get(build, {})
    committed: Figures = entry.get("figures", {})  # type: ignore[assignment]
    excuses = instructions.read_excuses(CHANGELOG.read_text("utf-8"))
    # The same length each time: longer paths make other heaps, and malloc takes other ways through them.
    folder = Path(tempfile.mkdtemp(prefix="fvl-count-", dir="/tmp"))
    try:
        figures = measure(folder, os.environ.get("BENCH_CORE", "0"), committed, excuses)
        for profiles in folder.glob("*-*") if options.keep else ():
            shutil.copytree(profiles, options.keep / profiles.name)
    except (FailedRunError, instructions.BadProfileError) as failure:
        print(f"Nothing was counted: {failure}.", file=sys.stderr)
        return 2
    finally:
        shutil.rmtree(folder)
    rows = instructions.compare(figures, committed, excuses)
    print(build)
    for line in instructions.table(rows):
        print(line)
    if entry and entry.get("with") != used:
        print(f"The committed figures were counted with {entry.get('with')}, these with {used}.")
    if options.update:
        content[build] = {"figures": figures, "with": used}
        instructions.save(FILE, content)
        print(f"{FILE.name} has these figures now.")
        return 0
    if not entry:
        print(f"NOTHING WAS COMPARED: {FILE.name} has no figures for this build; --update would add them.")
    grown = [f"{row.workload} {row.now:,}" for row in rows if row.verdict == "GREW"]
    if grown:
        print(f'Find out why, or let CHANGELOG.md say so: "- Instructions: {", ".join(grown)}: why."')
    return 1 if grown else 0


if __name__ == "__main__":
    sys.exit(main())
