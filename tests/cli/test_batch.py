"""Many calls from stdin on one connection."""

from __future__ import annotations

import json
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import fastvarlink
from wire.rawstream import PATIENCE

from .command import COMMAND, refused, run
from .threaded import serving


def replies(text: bytes) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_line_has_the_parameters_of_a_call(more: str) -> None:
    given = b'{"ping": "a"}\n\n \t\n  {"ping": "b"}  \r\n{"ping": "c"}'
    done = run("call", "--batch", f"{more}/org.example.more.Ping", given=given)
    assert done.stdout == b"".join(b'{"parameters":{"pong":"%c"}}\n' % letter for letter in b"abc")
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_line_is_a_call(more: str) -> None:
    calls = [
        {"method": "org.example.more.Ping", "parameters": {"ping": "unheard"}, "oneway": True},
        {"method": "org.example.more.TestMore", "parameters": {"n": 1}, "more": True},
        {"method": "org.example.more.Ping", "parameters": {"ping": "last"}},
    ]
    done = run("call", "--batch", more, given="\n".join(map(json.dumps, calls)).encode())
    assert [reply.get("continues", False) for reply in replies(done.stdout)] == [
        True,
        True,
        True,
        False,
        False,
    ]
    assert replies(done.stdout)[-1] == {"parameters": {"pong": "last"}}
    assert done.returncode == 0


def test_nothing_on_stdin_is_no_call(more: str) -> None:
    done = run("call", "--batch", more, given=b"\n")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


@pytest.mark.parametrize("graceful", [False, True])
def test_an_error_is_a_line_like_others(graceful: bool, more: str) -> None:
    given = b'{"ping": 1}\n{"ping": "error"}\n'
    words = ["--graceful=org.varlink.service.InvalidParameter"] if graceful else []
    done = run("call", "--batch", *words, f"{more}/org.example.more.Ping", given=given)
    assert [reply.get("error") for reply in replies(done.stdout)] == [
        "org.varlink.service.InvalidParameter",
        None,
    ]
    assert (done.returncode, done.stderr) == (0 if graceful else 1, b"")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"{", "is not JSON"),
        (b"[]", "is no JSON object"),
        (b"{}", "is no call"),
        (b'{"method": 1}', "is no call"),
        (b'{"method": "a.b.C", "parameters": {"x": "\xff"}}', "is not JSON"),
    ],
)
def test_a_bad_line_ends_it_after_the_calls_before(line: bytes, said: str, more: str) -> None:
    before = b'{"method": "org.example.more.Ping", "parameters": {"ping": "before"}}\n'
    done = run("call", "--batch", more, given=before + line + b"\n" + before)
    assert done.returncode == 5
    assert replies(done.stdout) == [{"parameters": {"pong": "before"}}]
    assert done.stderr.decode().startswith(f"Line 2 of stdin {said}")


def test_words_behind_the_method_are_too_much(more: str) -> None:
    status, sentence = refused("call", "--batch", f"{more}/org.example.more.Ping", "ping=x")
    assert (status, "ping=x" in sentence) == (2, True)


def test_replies_come_while_stdin_is_open(more: str) -> None:
    command = [*COMMAND, "call", "--batch", f"{more}/org.example.more.Ping"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for text in ("one", "two"):
            process.stdin.write(f'{{"ping": "{text}"}}\n'.encode())
            process.stdin.flush()
            assert json.loads(process.stdout.readline()) == {"parameters": {"pong": text}}
        process.stdin.close()
        assert process.wait(PATIENCE) == 0


@pytest.mark.parametrize("source", ["pipe", "file"])
def test_more_calls_than_fit_anywhere(source: str, more: str, tmp_path: Path) -> None:
    """Neither side waits for the other, and the replies are in the order of the calls."""
    count, long = 3000, "x" * 3000
    path = tmp_path / "calls"
    with path.open("w") as file:
        file.writelines(f'{{"ping": "{i} {long}"}}\n' for i in range(count))
    words = ["call", "--batch", f"{more}/org.example.more.Ping"]
    if source == "pipe":
        text = run(*words, given=path.read_bytes()).stdout
    else:
        with path.open("rb") as file:
            done = subprocess.run(
                [*COMMAND, *words], stdin=file, stdout=subprocess.PIPE, check=True, timeout=PATIENCE
            )
        text = done.stdout
    expected = [{"parameters": {"pong": f"{i} {long}"}} for i in range(count)]
    assert replies(text) == expected


def test_line_breaks_in_a_reply_do_not_split_its_line(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        listener.listen()

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                assert connection.recv(1000)
                connection.sendall(b'{\n"parameters": {\n"a": "b"}\n}\0')

        thread = threading.Thread(target=answer)
        thread.start()
        done = run("call", "--batch", f"{tmp_path}/socket", given=b'{"method": "a.b.C"}\n')
        thread.join(PATIENCE)
    assert replies(done.stdout) == [{"parameters": {"a": "b"}}]


@pytest.fixture
def silent(tmp_path: Path) -> Iterator[str]:
    """A service that answers nothing before the end of the test."""
    service = fastvarlink.Service()
    over = threading.Event()

    @service.interface("interface org.example.silent\nmethod Wait() -> ()")
    class Silent:
        def Wait(self) -> None:
            over.wait(PATIENCE)

    with serving(service, f"unix:{tmp_path}/socket") as address:
        yield address
        over.set()


def test_the_time_limit_is_one_of_each_reply(silent: str) -> None:
    done = run("call", "--batch", "--timeout=0.1", f"{silent}/org.example.silent.Wait", given=b"{}\n")
    assert (done.returncode, done.stdout) == (4, b"")
    assert b"within 0.1 seconds" in done.stderr


def test_a_service_that_leaves(tmp_path: Path) -> None:
    script = (
        "import os, fastvarlink\n"
        "service = fastvarlink.Service()\n"
        "@service.interface('interface org.example.leave\\nmethod Leave() -> ()')\n"
        "class Leaving:\n"
        "    def Leave(self): os._exit(0)\n"
        f"service.serve('unix:{tmp_path}/socket', ready=lambda: print('ready', flush=True))\n"
    )
    with subprocess.Popen([COMMAND[0], "-c", script], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        done = run("call", "--batch", f"{tmp_path}/socket/org.example.leave.Leave", given=b"{}\n")
    assert (done.returncode, done.stdout) == (3, b"")
    assert b"connection is lost" in done.stderr
