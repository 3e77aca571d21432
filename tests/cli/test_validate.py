"""The verb validate: every fault with its place."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import pytest

from .command import on_terminal, printed, refused, run, shown
from .conftest import EXAMPLES

MORE = str(EXAMPLES / "org.example.more.varlink")
FAULTY = "interface org.example.faulty\n\ntype T (a: str)\nmethod foo() -> (x: Missing)\n"


def test_a_definition_without_faults_is_passed_in_silence() -> None:
    assert printed("validate", MORE) == ""
    assert printed("validate", "--json=short", MORE) == "[]\n"


def test_all_faults_are_shown_with_their_places(tmp_path: Path) -> None:
    (tmp_path / "org.example.faulty.varlink").write_text(FAULTY)
    done = run("validate", "org.example.faulty.varlink", MORE, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (1, b"")
    assert done.stdout.decode() == (
        "org.example.faulty.varlink:3:12: error: Found 'str', expected a type.\n"
        "    type T (a: str)\n"
        "               ^\n"
        "    Did you mean string?\n"
        "org.example.faulty.varlink:4:8: error: Found 'foo', expected a name of letters and digits that "
        "begins with a capital.\n"
        "    method foo() -> (x: Missing)\n"
        "           ^\n"
        "    Call it Foo.\n"
        "org.example.faulty.varlink:4:21: error: Found 'Missing', which this interface does not declare.\n"
        "    method foo() -> (x: Missing)\n"
        "                        ^\n"
        "    Declare it: type Missing (...).\n"
    )


def test_faults_as_json(tmp_path: Path) -> None:
    done = run("validate", "--json=short", "-", given=FAULTY.encode())
    assert done.returncode == 1
    first, *others = json.loads(done.stdout)
    assert first == {
        "file": "stdin",
        "line": 3,
        "column": 12,
        "severity": "error",
        "message": "Found 'str', expected a type.",
        "hint": "Did you mean string?",
    }
    assert [fault["line"] for fault in others] == [4, 4]


def test_stdin_is_read_without_words_and_under_the_other_name() -> None:
    assert run("validate", given=FAULTY.encode()).returncode == 1
    assert run("validate-idl", given=FAULTY.encode()).returncode == 1
    assert printed("validate-idl", MORE) == ""
    assert "validate-idl" not in printed("--help")


def test_interfaces_of_a_service_are_validated(more: str) -> None:
    assert printed("validate", more) == ""
    assert printed("validate", f"{more}/org.example.more", f"{more}/org.varlink.service") == ""
    text = printed("validate", "--print", f"{more}/org.example.more")
    assert text == Path(MORE).read_text()


def test_a_file_with_the_name_of_another_interface_is_warned_of(tmp_path: Path) -> None:
    file = tmp_path / "org.example.other.varlink"
    file.write_text(Path(MORE).read_text())
    (tmp_path / "draft.txt").write_text(Path(MORE).read_text())
    text = printed("validate", file.name, "draft.txt", cwd=tmp_path)
    assert text.startswith(
        "org.example.other.varlink:2:11: warning: The file is called org.example.other.varlink, and holds "
        "the interface org.example.more.\n"
    )
    assert "draft.txt" not in text


def test_bytes_that_are_not_utf_8_are_a_fault() -> None:
    done = run("validate", given=b"interface org.example.\xff\n")
    assert done.returncode == 1
    assert b"stdin:1:23: error: Found bytes that are not valid UTF-8." in done.stdout


@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        (["missing.varlink"], 2, "There is no file 'missing.varlink'"),
        (["."], 5, "The definition cannot be read from '.': Is a directory."),
        (["-"], 5, "stdin is empty"),
        (["unix:/nowhere/at/all"], 3, "unix:/nowhere/at/all cannot be reached"),
        (["unix:/nowhere/org.example.more"], 3, "unix:/nowhere cannot be reached"),
        (["tcp:host"], 3, "Invalid address 'tcp:host'"),
    ],
)
def test_what_cannot_be_read_is_said(words: list[str], status: int, sentence: str, tmp_path: Path) -> None:
    got, said = refused("validate", *words, cwd=tmp_path)
    assert (got, said.count("\n")) == (status, 1)
    assert sentence in said


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read_is_said(tmp_path: Path) -> None:
    (tmp_path / "closed.varlink").touch(0)
    status, said = refused("validate", "closed.varlink", cwd=tmp_path)
    assert (status, said) == (5, "The definition cannot be read from 'closed.varlink': Permission denied.\n")


def test_an_interface_that_the_service_does_not_have_is_an_error(more: str) -> None:
    status, said = refused("validate", f"{more}/org.example.none")
    assert status == 1
    assert "org.varlink.service.InterfaceNotFound" in said


def test_a_socket_without_a_service_is_no_file(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as endpoint:
        endpoint.bind(str(tmp_path / "org.example.more"))
        status, said = refused("validate", f"unix:{tmp_path}/org.example.more")
    assert status == 3
    assert f"unix:{tmp_path}/org.example.more cannot be reached: nobody listens there." in said


def test_a_terminal_shows_colours_and_nothing_that_steers_it(tmp_path: Path) -> None:
    assert "org.example.more has no faults." in shown("validate", MORE)
    assert "\x1b[35mmethod\x1b[0m" in shown("validate", "--print", MORE)
    assert "\x1b[3" not in shown("validate", "--print", MORE, env={"NO_COLOR": "1"})
    (tmp_path / "evil").write_text("interface org.example.evil\n# \x1b[2J\nmethod x\x1b[2J() -> ()\n")
    with on_terminal("validate", str(tmp_path / "evil")) as terminal:
        status, text = terminal.finish()
    assert status == 1
    assert "\x1b[31merror\x1b[0m" in text
    assert "\x1b[2J" not in text
