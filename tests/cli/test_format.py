"""The verb format: the one usual form, without the loss of a comment."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from fastvarlink import idl

from .command import on_terminal, printed, refused, run, shown

ROOT = Path(__file__).resolve().parent.parent.parent
UNTIDY = (
    "# Doc.\ninterface   org.example.untidy # here\n# apart\n\nmethod  M( a:int ,b: ?string)->() # last\n"
)
TIDY = "# Doc.\ninterface org.example.untidy # here\n\n# apart\n\nmethod M(a: int, b: ?string) -> () # last\n"


@pytest.fixture
def untidy(tmp_path: Path) -> Path:
    path = tmp_path / "org.example.untidy.varlink"
    path.write_text(UNTIDY)
    return path


def definitions() -> list[Path]:
    """All definitions in the repository that have no fault."""
    found = []
    for path in sorted(ROOT.rglob("*.varlink")):
        try:
            idl.parse(path.read_bytes())
        except idl.IdlSyntaxError:
            continue
        found.append(path)
    return found


def test_all_definitions_of_the_repository_keep_all_that_they_say(tmp_path: Path) -> None:
    copies = {tmp_path / f"{i}.varlink": path for i, path in enumerate(definitions())}
    assert len(copies) > 10
    for copy, original in copies.items():
        copy.write_bytes(original.read_bytes())
    assert printed("format", "-i", *map(str, copies)) == ""
    for copy, original in copies.items():
        # Comments are part of the trees.
        assert idl.parse(copy.read_bytes()) == idl.parse(original.read_bytes()), original
    assert printed("format", "--check", *map(str, copies)) == ""


def test_the_formatted_text_is_printed(untidy: Path) -> None:
    assert printed("format", str(untidy)) == TIDY
    assert printed("format", given=UNTIDY.encode()) == TIDY
    assert printed("format", "-", given=TIDY.encode()) == TIDY
    assert untidy.read_text() == UNTIDY


def test_a_service_s_definition_is_printed(more: str) -> None:
    assert printed("format", more) == (ROOT / "examples/org.example.more.varlink").read_text()


def test_what_is_printed_is_utf_8_whatever_the_locale() -> None:
    text = "# Grüße.\ninterface org.example.words\n\nmethod M() -> ()\n".encode()
    done = run("format", given=text, env={"PYTHONIOENCODING": "ascii"})
    assert done.stdout == text


def test_a_file_is_written_in_place_with_its_mode(untidy: Path) -> None:
    untidy.chmod(0o640)
    assert printed("format", "-i", str(untidy)) == ""
    assert untidy.read_text() == TIDY
    assert untidy.stat().st_mode & 0o777 == 0o640
    assert os.listdir(untidy.parent) == [untidy.name]


def test_a_link_goes_on_leading_to_its_file(untidy: Path) -> None:
    link = untidy.parent / "link.varlink"
    link.symlink_to(untidy.name)
    assert printed("format", "-i", str(link)) == ""
    assert link.is_symlink()
    assert untidy.read_text() == TIDY


def test_a_file_that_does_not_change_is_not_written(untidy: Path) -> None:
    untidy.write_text(TIDY)
    before = untidy.stat()
    assert printed("format", "-i", str(untidy)) == ""
    after = untidy.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_nothing_is_written_if_one_file_is_faulty(untidy: Path) -> None:
    faulty = untidy.parent / "faulty.varlink"
    faulty.write_text("interface x\n")
    status, said = refused("format", "-i", str(untidy), str(faulty))
    assert status == 5
    assert f"{faulty}, line 1, column 11" in said
    assert untidy.read_text() == UNTIDY


def test_check_names_those_that_would_change(untidy: Path) -> None:
    tidy = untidy.parent / "tidy.varlink"
    tidy.write_text(TIDY)
    done = run("format", "--check", untidy.name, tidy.name, cwd=untidy.parent)
    assert (done.returncode, done.stdout, done.stderr) == (1, b"org.example.untidy.varlink\n", b"")
    assert printed("format", "--check", str(tidy)) == ""
    assert untidy.read_text() == UNTIDY


def test_the_diff_can_be_applied(untidy: Path) -> None:
    untidy.write_bytes(UNTIDY.rstrip("\n").encode())
    done = run("format", "--diff", untidy.name, cwd=untidy.parent)
    assert done.returncode == 1
    text = done.stdout.decode()
    assert "--- org.example.untidy.varlink\n+++ org.example.untidy.varlink\n" in text
    assert "\n-method  M( a:int ,b: ?string)->() # last\n\\ No newline at end of file\n" in text
    assert "\n+method M(a: int, b: ?string) -> () # last\n" in text
    subprocess.run(["git", "apply", "-p0"], input=done.stdout, cwd=untidy.parent, check=True)
    assert untidy.read_text() == TIDY
    assert printed("format", "--diff", str(untidy)) == ""


def test_a_terminal_shows_colours(untidy: Path) -> None:
    assert "\x1b[90m# Doc.\x1b[0m" in shown("format", str(untidy))
    with on_terminal("format", "--diff", str(untidy)) as terminal:
        status, text = terminal.finish()
    assert status == 1
    assert "\x1b[32m+method M(a: int, b: ?string) -> () # last\x1b[0m" in text


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["-i", "-"], "'stdin' is no file, so that it cannot be written in place."),
        (["-i", "--check", "x"], "not allowed with argument"),
    ],
)
def test_what_makes_no_sense_is_refused(words: list[str], sentence: str) -> None:
    status, said = refused("format", *words, given=TIDY.encode())
    assert status == 2
    assert sentence in said
