"""What varlink serve and varlink mock serve is called by the commands of systemd and python-varlink."""

from __future__ import annotations

import contextlib
import select
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from peers import PATIENCE, ROOT, Original
from systemd import VarlinkCtl

EXAMPLES = ROOT / "examples"
PING = "org.example.more.Ping"


@contextlib.contextmanager
def serving(folder: Path, *words: str, command: tuple[str, ...] = ()) -> Iterator[str]:
    """The command serves while the block runs: its address."""
    address = f"unix:{folder}/s"
    words = (sys.executable, "-m", "fastvarlink", *words, f"--address={address}", *command)
    with subprocess.Popen(words, stderr=subprocess.PIPE, cwd=EXAMPLES) as process:
        try:
            assert process.stderr is not None
            readable, _, _ = select.select([process.stderr], [], [], PATIENCE)
            assert readable
            assert process.stderr.readline().decode() == f"Listening on {address}\n"
            yield address
        finally:
            process.terminate()


def python_varlink(original: Original, *words: str) -> str:
    command = [original.python, "-m", "varlink.cli", *words]
    return subprocess.run(command, capture_output=True, check=True, timeout=PATIENCE, text=True).stdout


def test_varlinkctl_calls_a_service(varlinkctl: VarlinkCtl, tmp_path: Path) -> None:
    with serving(tmp_path, "serve", "more.py:service", "--workers=2") as address:
        assert "org.example.more" in varlinkctl("list-interfaces", address).stdout
        called = varlinkctl("call", "-j", address, PING, '{"ping": "x"}')
        assert (called.returncode, called.stdout) == (0, '{"pong":"x"}\n')


def test_varlinkctl_calls_a_mock(varlinkctl: VarlinkCtl, tmp_path: Path) -> None:
    with serving(tmp_path, "mock", "org.example.more.varlink") as address:
        called = varlinkctl("call", "-j", address, PING, '{"ping": "x"}')
        assert (called.returncode, called.stdout) == (0, '{"pong":"pong"}\n')
        more = varlinkctl("call", "--more", "-j", address, "org.example.more.TestMore", '{"n": 3}')
        assert (more.returncode, more.stdout.count("progress")) == (0, 3)


def test_varlinkctl_talks_with_a_command(varlinkctl: VarlinkCtl, tmp_path: Path) -> None:
    with serving(
        tmp_path, "serve", "--upgrade=org.example.Cat.Run", command=("--", "tr", "a-z", "A-Z")
    ) as address:
        assert "method Run() -> ()" in varlinkctl("introspect", address, "org.example.Cat").stdout
        called = varlinkctl("call", "--upgrade", address, "org.example.Cat.Run", "{}", input="hello\n")
        assert (called.returncode, called.stdout) == (0, "HELLO\n")


def test_python_varlink_calls_a_service(original: Original, tmp_path: Path) -> None:
    with serving(tmp_path, "serve", "more.py:service") as address:
        assert '"pong": "x"' in python_varlink(original, "call", f"{address}/{PING}", '{"ping": "x"}')
        assert "method Ping" in python_varlink(original, "help", f"{address}/org.example.more")


def test_python_varlink_calls_a_mock(original: Original, tmp_path: Path) -> None:
    with serving(tmp_path, "mock", "org.example.more.varlink") as address:
        assert '"pong": "pong"' in python_varlink(original, "call", f"{address}/{PING}", '{"ping": "x"}')
