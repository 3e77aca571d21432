"""The command line as a whole: which verb is meant, help, and what is wrong with it."""

from __future__ import annotations

import os
import re
import shlex
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import fastvarlink
from fastvarlink.cli.verbs import VERBS

from .command import COMMAND, PATIENCE, printed, refused, run, shown
from .threaded import serving


def test_help_lists_each_verb() -> None:
    text = printed("--help")
    for verbs in VERBS.values():
        for verb, summary in verbs.items():
            assert any(line.split() == [verb, *summary.split()] for line in text.splitlines())
    assert printed("-h") == text


def test_the_version_is_that_of_the_package() -> None:
    assert re.fullmatch(
        r"varlink, of fastvarlink (\d+\.\d+\.\d+|that is not installed)\n", printed("--version")
    )


def test_no_verb_is_wrong_and_shows_them() -> None:
    done = run()
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode().startswith("usage: varlink VERB")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["clal"], "did you mean 'call'?"),
        (["zzz"], "no verb 'zzz'. 'varlink --help'"),
        (["-q"], "no verb after '-q'"),
        (["call"], "required: METHOD"),
        (["call", "--nope", "a.b.C"], "--nope"),
        (["call", "--json=yaml", "a.b.C"], "'yaml'"),
        (["call", "--timeout=soon", "a.b.C"], "'soon'"),
        (["call", "--timeout=-1", "a.b.C"], "'-1'"),
        (["info", "unix:/x", "--", "more"], "Nothing can follow '--'"),
        (["call", "--exec", "unix:/x/a.b.C"], "belong together"),
        (["call", "unix:/x/a.b.C", "--", "cat"], "belong together"),
        (["call", "--more", "--oneway", "unix:/x/a.b.C"], "not allowed with"),
        (["call", "--exec", "--more", "unix:/x/a.b.C", "--", "cat"], "one reply"),
        (["call", "--push-fd=1", "--batch", "unix:/x/a.b.C"], "plain call"),
        (["call", "Ping"], "names no method"),
        (["call", "unix:/x/org.example.ping"], "names no method"),
        (["info"], "Nothing says where"),
        (["-A", "", "info"], "Nothing says where"),
        (["-A", "'", "info"], "cannot be split"),
        (["-b", " ", "info"], "is empty"),
    ],
)
def test_a_command_line_that_is_wrong(words: list[str], said: str) -> None:
    status, sentence = refused(*words)
    assert (status, sentence.count("\n")) == (2, 1)
    assert said in sentence


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["unix:/no/such/socket/org.example.more.Ping"], 3, "/no/such/socket"),
        (["{folder}/closed/org.example.more.Ping"], 3, "nobody listens there"),
        (["{folder}/plain/org.example.more.Ping"], 3, "plain"),
        (["unix:@no such name/org.example.more.Ping"], 3, "nobody listens there"),
        (["tcp:127.0.0.1:1/org.example.more.Ping"], 3, "tcp:127.0.0.1:1"),
        (["tcp:127.0.0.1/org.example.more.Ping"], 3, "must read 'tcp:HOST:PORT'"),
        (["tcp:no-such-host.invalid:1/org.example.more.Ping"], 3, "no-such-host.invalid"),
        (["uenix:there/org.example.more.Ping"], 3, "uenix:there"),
        (["org.example.more.Ping"], 3, "resolver"),
        (["-r", "unix:/no/such/socket", "org.example.more.Ping"], 3, "/no/such/socket"),
        (["-b", "/no/such/command", "org.example.more.Ping"], 3, "/no/such/command"),
        (["{more}/org.example.more.Nope"], 1, "list-methods"),
        (["{more}/org.example.nope.Ping"], 1, "list-interfaces"),
        (["{more}/org.example.more.Ping", "{{}}"], 1, "varlink help"),
        (["{more}/org.example.more.TestMore", '{{"n": 1}}'], 1, "Call it with --more"),
        (["--more", "{more}/org.example.more.TestMore", '{{"n": 0}}'], 1, "choose a number of steps"),
        (["{more}/org.example.more.Ping", "{{"], 5, "not JSON"),
        (["{more}/org.example.more.Ping", "[]"], 5, "no JSON object"),
        (["{more}/org.example.more.Ping", "-"], 5, "not JSON"),
        (["{more}/org.example.more.Ping", "@no such file"], 5, "no such file"),
        (["{more}/org.example.more.Ping", "@{folder}"], 5, "directory"),
    ],
)
def test_a_call_that_cannot_be_made(
    words: list[str], status: int, said: str, more: str, tmp_path: Path
) -> None:
    with socket.socket(socket.AF_UNIX) as closed:
        closed.bind(str(tmp_path / "closed"))
    (tmp_path / "plain").write_text("no socket")
    written = [word.format(more=more, folder=tmp_path) for word in words]
    got, sentence = refused("call", *written)
    assert got == status, sentence
    assert said in sentence
    assert sentence.count("\n") == 1


# All that is needed is imported before: nobody may not be able to read it.
AS_NOBODY = """
import os, sys
from fastvarlink.cli import main
import locale
import fastvarlink.cli.verbs.info
os.setuid(65534)
sys.exit(main())
"""


def test_permission_denied_is_told(more: str, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("Only root can become somebody who may not connect.")
    tmp_path.chmod(0o755)
    with serving(fastvarlink.Service(), f"unix:{tmp_path}/socket;mode=0600"):
        done = subprocess.run(
            [sys.executable, "-c", AS_NOBODY, "info", f"unix:{tmp_path}/socket"],
            capture_output=True,
            check=False,
            timeout=PATIENCE,
        )
    assert (done.returncode, done.stdout) == (3, b"")
    assert b"permission denied" in done.stderr.lower()


def closing(what: str, *words: str) -> subprocess.CompletedProcess[bytes]:
    """The command with some of its streams closed by the shell."""
    return subprocess.run(
        ["sh", "-c", f"exec {shlex.join([*COMMAND, *words])} {what}"],
        capture_output=True,
        check=False,
        timeout=PATIENCE,
    )


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_no_reason_for_a_traceback(closed: str, more: str) -> None:
    done = closing(closed, "call", f"{more}/org.example.more.Ping", "ping=x")
    assert b"Traceback" not in done.stderr
    if " >&-" in f" {closed}":
        assert done.returncode == 3
    else:
        assert (done.returncode, done.stdout) == (0, b'{"pong":"x"}\n')


@pytest.mark.parametrize(
    "words", [["call", "--batch", "{more}"], ["call", "{more}/org.example.more.Ping", "-"]]
)
def test_a_closed_stdin_that_is_needed(words: list[str], more: str) -> None:
    done = closing("<&-", *(word.format(more=more) for word in words))
    assert (done.returncode, done.stdout) == (5, b"")
    assert b"stdin is closed" in done.stderr


def test_a_full_disk_is_told(more: str) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [*COMMAND, "info", more], stdout=full, stderr=subprocess.PIPE, check=False, timeout=PATIENCE
        )
    assert done.returncode == 3
    assert done.stderr.decode() == "The output cannot be written: No space left on device.\n"


def test_info(more: str) -> None:
    lines = [
        "Vendor: fastvarlink",
        "Product: More example",
        "Version: 1",
        "URL: https://varlink.org",
        "Interfaces:",
        "   org.varlink.service",
        "   org.example.more",
    ]
    assert printed("info", more).splitlines() == lines
    assert shown("info", more).splitlines() == lines
    assert printed("list-interfaces", more).splitlines() == ["org.varlink.service", "org.example.more"]
    assert printed("list-interfaces", "-j", more) == '["org.varlink.service","org.example.more"]\n'
    assert printed("info", "-j", more).startswith('{"vendor":"fastvarlink","product":"More example"')


def test_list_methods(more: str) -> None:
    own = ["org.example.more.Ping", "org.example.more.TestMore", "org.example.more.StopServing"]
    all_of_them = ["org.varlink.service.GetInfo", "org.varlink.service.GetInterfaceDescription", *own]
    assert sorted(printed("list-methods", more).splitlines()) == sorted(all_of_them)
    assert printed("list-methods", more, "org.example.more").splitlines() == own
    status, sentence = refused("list-methods", more, "org.example.nope")
    assert (status, "InterfaceNotFound" in sentence) == (1, True)
