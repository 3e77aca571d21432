"""The command line, run as a user runs it: what is printed where, and the exit status."""

from __future__ import annotations

import json
import select
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
PATIENCE = 60


def started(*words: str) -> subprocess.Popen[bytes]:
    """A server that has printed its first line."""
    process = subprocess.Popen([sys.executable, *words], stdout=subprocess.PIPE)
    assert process.stdout is not None
    readable, _, _ = select.select([process.stdout], [], [], PATIENCE)
    assert readable
    assert process.stdout.readline()
    return process


def ended(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


@pytest.fixture(scope="module")
def more(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running examples/more.py."""
    address = f"unix:{tmp_path_factory.mktemp('more')}/more"
    process = started(str(EXAMPLES / "more.py"), f"--varlink={address}", "--pause=0")
    yield address
    ended(process)


def varlink(*words: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    done = subprocess.run(
        [sys.executable, "-m", "fastvarlink", *words],
        input=given,
        capture_output=True,
        check=False,
        timeout=PATIENCE,
    )
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    return done


def printed(*words: str, given: bytes = b"") -> str:
    """What the command prints; it must succeed."""
    done = varlink(*words, given=given)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def test_info(more: str) -> None:
    assert printed("info", more).splitlines() == [
        "Vendor: fastvarlink",
        "Product: More example",
        "Version: 1",
        "URL: https://varlink.org",
        "Interfaces:",
        "   org.varlink.service",
        "   org.example.more",
    ]


def test_help_prints_the_description(more: str) -> None:
    text = (EXAMPLES / "org.example.more.varlink").read_text()
    assert printed("help", f"{more}/org.example.more").strip() == text.strip()


def test_call(more: str) -> None:
    reply = printed("call", f"{more}/org.example.more.Ping", '{"ping": "hello"}')
    assert json.loads(reply) == {"pong": "hello"}


def test_call_with_more_prints_every_reply(more: str) -> None:
    text = printed("call", "-m", f"{more}/org.example.more.TestMore", '{"n": 2}')
    replies = [json.loads(reply + "}") for reply in text.split("\n}\n")[:-1]]
    progress = [reply["state"].get("progress") for reply in replies]
    assert progress == [None, 0, 50, 100, None]


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["call", "{more}/org.example.more.Nope"], 1, "MethodNotFound"),
        (["call", "{more}/org.example.more.Ping", "{}"], 1, "InvalidParameter"),
        (["call", "-m", "{more}/org.example.more.TestMore", '{"n": 0}'], 1, "TestMoreError"),
        (["call", "{more}/org.example.more.TestMore", '{"n": 1}'], 1, "ExpectedMore"),
        (["call", "{more}/org.example.nope.Ping"], 1, "InterfaceNotFound"),
        (["call", "{more}/org.example.more.Ping", "{"], 2, "not JSON"),
        (["call", "{more}/org.example.more.Ping", "[]"], 2, "no JSON object"),
        (["call", "Ping"], 2, "names no method"),
        (["call", "unix:/no/such/socket/org.example.more.Ping"], 1, "/no/such/socket"),
        (["call", "uenix:there/org.example.more.Ping"], 1, "uenix:there"),
        (["info"], 2, "Nothing says where"),
        (["info", "unix:/no/such/socket"], 1, "Is the service running?"),
        (["help", "unix:/no/such/socket/org.example.more"], 1, "/no/such/socket"),
        ([], 2, "usage:"),
    ],
)
def test_mistakes_are_told_in_a_sentence(more: str, words: list[str], status: int, said: str) -> None:
    done = varlink(*(word.replace("{more}", more) for word in words))
    assert (done.returncode, done.stdout) == (status, b"")
    assert said in done.stderr.decode()


def test_a_reader_that_leaves_ends_the_command_quietly(more: str) -> None:
    words = ["call", "-m", f"{more}/org.example.more.TestMore", '{"n": 1000}']
    with subprocess.Popen(
        [sys.executable, "-m", "fastvarlink", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(PATIENCE) == 1
