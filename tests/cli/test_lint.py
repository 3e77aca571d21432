"""The verb lint: what other implementations refuse or misread."""

from __future__ import annotations

import json
from pathlib import Path

from .command import on_terminal, printed, refused, run
from .conftest import EXAMPLES

CERTIFICATION = str(EXAMPLES / "org.varlink.certification.varlink")
ONE_VALUE = "interface org.example.one\n\nmethod M(a: (only), b: any) -> ()\n"


def test_nothing_is_printed_where_nothing_is_found(more: str) -> None:
    assert printed("lint", str(EXAMPLES / "org.example.more.varlink")) == ""
    assert printed("lint", more) == ""


def test_findings_have_a_place_and_a_rule(tmp_path: Path) -> None:
    (tmp_path / "one.varlink").write_text(ONE_VALUE)
    done = run("lint", "one.varlink", CERTIFICATION, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (1, b"")
    assert done.stdout.decode().startswith(
        "one.varlink:3:14: warning: python-varlink refuses an enum of one value. [one-value]\n"
        "    method M(a: (only), b: any) -> ()\n"
        "                 ^\n"
        "    Add a second value, or use string.\n"
    )
    assert f"{CERTIFICATION}:6:9: warning: systemd refuses".encode() in done.stdout


def test_findings_as_json() -> None:
    done = run("lint", "--json=short", given=ONE_VALUE.encode())
    assert done.returncode == 1
    first, second = json.loads(done.stdout)
    assert first == {
        "file": "stdin",
        "line": 3,
        "column": 14,
        "severity": "warning",
        "message": "python-varlink refuses an enum of one value.",
        "hint": "Add a second value, or use string.",
        "rule": "one-value",
        "peers": ["python-varlink"],
    }
    assert second["rule"] == "any"


def test_peers_and_rules_can_be_chosen() -> None:
    assert printed("lint", "--peer=systemd", "-", given=ONE_VALUE.encode()) == ""
    done = run("lint", "--peer=Go", "--peer=systemd", "--json=short", given=ONE_VALUE.encode())
    assert [finding["rule"] for finding in json.loads(done.stdout)] == ["any"]
    assert printed("lint", "--ignore=any", "--ignore=one-value", given=ONE_VALUE.encode()) == ""


def test_a_peer_or_a_rule_that_there_is_not_is_refused() -> None:
    status, said = refused("lint", "--peer=nobody", given=ONE_VALUE.encode())
    assert (status, "systemd" in said) == (2, True)
    status, said = refused("lint", "--ignore=nothing", given=ONE_VALUE.encode())
    assert (status, "one-value" in said) == (2, True)


def test_a_faulty_definition_cannot_be_linted() -> None:
    status, said = refused("lint", "-", given=b"interface org.example.\xff\n")
    assert status == 5
    assert "stdin, line 1, column 23: Found bytes that are not valid UTF-8." in said


def test_a_terminal_shows_colours() -> None:
    with on_terminal("lint", CERTIFICATION) as terminal:
        status, text = terminal.finish()
    assert status == 1
    assert "\x1b[33mwarning\x1b[0m" in text
