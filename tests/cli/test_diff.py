"""The verb diff: what changed between two versions, and what breaks."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from .command import on_terminal, printed, refused, run, shown
from .conftest import EXAMPLES

MORE = str(EXAMPLES / "org.example.more.varlink")
OLD = "interface org.example.v\n\nmethod M(a: int) -> (b: string)\n\nmethod Gone() -> ()\n"
NEW = "interface org.example.v\n\nmethod M(a: string, c: ?int) -> (b: ?string)\n"


TWO = """
import sys
import fastvarlink

class Ready:
    def M(self) -> None: ...

service = fastvarlink.Service(vendor="v", product="p", version="1", url="u")
service.interface(fastvarlink.interface("org.example.a")(type("A", (Ready,), {})))
service.interface(fastvarlink.interface("org.example.b")(type("B", (Ready,), {})))
handler = type("Handler", (fastvarlink.RequestHandler,), {"service": service})
with fastvarlink.ThreadingServer(sys.argv[1], handler) as server:
    print("ready", flush=True)
    server.serve_forever()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "old").write_text(OLD)
    (tmp_path / "new").write_text(NEW)
    return tmp_path


def test_each_change_is_told_with_its_place_and_whom_it_breaks(folder: Path) -> None:
    done = run("diff", "old", "new", cwd=folder)
    assert (done.returncode, done.stderr) == (1, b"")
    assert done.stdout.decode() == (
        "breaks callers: M(a): The type is string, it was int. Callers send the old type.\n"
        "compatible: M(c): The field is new and nullable. Callers may leave it out.\n"
        "breaks readers: M() -> b: It is nullable now. Readers expect that it is always there.\n"
        "breaks callers: method Gone: The method was removed. Callers cannot call it any more.\n"
    )


def test_changes_as_json(folder: Path) -> None:
    done = run("diff", "--json=short", "old", "-", given=NEW.encode(), cwd=folder)
    assert done.returncode == 1
    first, second, *_ = json.loads(done.stdout)
    assert first == {
        "path": "M(a)",
        "message": "The type is string, it was int.",
        "reason": "Callers send the old type.",
        "breaking": True,
        "callers": "breaking",
        "readers": "compatible",
    }
    assert second["breaking"] is False


def test_what_breaks_nobody_is_no_failure(folder: Path) -> None:
    (folder / "wider").write_text(OLD + "\nerror New ()\n")
    text = printed("diff", "old", "wider", cwd=folder)
    assert text == "compatible: error New: The error is new. Programs for the old version do not use it.\n"
    assert printed("diff", "old", "old", cwd=folder) == ""
    assert printed("diff", "--json=short", "old", "old", cwd=folder) == "[]\n"


def test_a_service_is_compared_by_its_address_alone_or_by_its_interface(more: str) -> None:
    assert printed("diff", more, MORE) == ""
    assert printed("diff", MORE, f"{more}/org.example.more") == ""
    assert run("diff", f"{more}/org.varlink.service", more).returncode == 1


def test_an_address_alone_does_not_say_which_of_several_interfaces(tmp_path: Path) -> None:
    (tmp_path / "service.py").write_text(TWO)
    address = f"unix:{tmp_path}/two"
    command = [sys.executable, str(tmp_path / "service.py"), address]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            status, said = refused("diff", address, MORE)
            assert status == 2
            assert f"name the one that is meant: {address}/org.example.a, {address}/org.example.b." in said
            assert printed("format", address).count("interface org.example.") == 2
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        (["old"], 2, "required: NEW"),
        (["old", "none"], 2, "There is no file 'none'"),
        (["-", "-"], 5, "stdin is empty, or has been read already"),
        (["old", "faulty"], 5, "faulty, line 1, column 11"),
    ],
)
def test_what_cannot_be_compared_is_said(words: list[str], status: int, sentence: str, folder: Path) -> None:
    (folder / "faulty").write_text("interface x\n")
    got, said = refused("diff", *words, given=OLD.encode(), cwd=folder)
    assert got == status
    assert sentence in said


def test_a_terminal_shows_colours(folder: Path) -> None:
    with on_terminal("diff", "old", "new", cwd=folder) as terminal:
        status, text = terminal.finish()
    assert status == 1
    assert "\x1b[31mbreaks callers\x1b[0m: M(a)" in text
    assert "\x1b[32mcompatible\x1b[0m: M(c)" in text
    assert "Nothing that programs can see has changed." in shown("diff", MORE, MORE)
