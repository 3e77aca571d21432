"""The verb bridge, and the options that lead to a service without its address: -A, -b, -r."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from client.programs import answering, stand_in_ssh

from .command import COMMAND, PATIENCE, printed, refused, run
from .conftest import EXAMPLES


def frames(*messages: object) -> bytes:
    return b"".join(json.dumps(message).encode() + b"\0" for message in messages)


def unframed(data: str) -> list[object]:
    assert data.endswith("\0")
    return [json.loads(frame) for frame in data[:-1].split("\0")]


def ping(text: str, **flags: object) -> dict[str, object]:
    return {"method": "org.example.more.Ping", "parameters": {"ping": text}, **flags}


def pong(text: str) -> dict[str, object]:
    return {"parameters": {"pong": text}}


def test_call_through_the_resolver(resolver: str) -> None:
    reply = printed("-r", resolver, "call", "org.example.more.Ping", '{"ping": "hello"}')
    assert json.loads(reply) == {"pong": "hello"}
    assert "interface org.example.more" in printed("-r", resolver, "help", "org.example.more")


def test_call_through_a_bridge(more: str) -> None:
    bridge = f"{sys.executable} -m fastvarlink bridge --connect {more}"
    reply = printed("-b", bridge, "call", "org.example.more.Ping", '{"ping": "hello"}')
    assert json.loads(reply) == {"pong": "hello"}
    assert printed("-b", bridge, "info") == printed("info", more)


def test_call_of_an_activated_service() -> None:
    """What it prints is not among the replies."""
    command = f"{sys.executable} {EXAMPLES / 'more.py'} --varlink=$VARLINK_ADDRESS"
    done = run("-A", command, "call", "org.example.more.Ping", '{"ping": "hello"}')
    assert (done.returncode, json.loads(done.stdout)) == (0, {"pong": "hello"})
    assert b"Listening on unix:" in done.stderr


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["-b", "/no/such/command", "info"], 3, "no such file '/no/such/command'"),
        (["-A", "/no/such/command", "info"], 3, "no such file '/no/such/command'"),
        (["-b", "/", "info"], 3, "'/' is no program that this user may run"),
        (["-b", "sh -c 'exit 7'", "info"], 3, "The program 'sh' has ended with exit status 7."),
        (["-A", "sh -c 'sleep 0.1; exit 7'", "info"], 3, "The program 'sh' has ended with exit status 7."),
        (["-b", "'", "info"], 2, "cannot be split into words"),
        (["-b", " ", "info"], 2, "is empty"),
        (["bridge", "--connect", "unix:/no/such/socket"], 3, "/no/such/socket"),
        (["bridge", "--connect", "nowhere"], 3, "Invalid address 'nowhere'"),
        (["-r", "unix:/no/such/socket", "help", "a.b"], 3, "/no/such/socket"),
        (["call", "org.example.more.Ping"], 3, "resolver"),
    ],
)
def test_mistakes_are_told_in_a_sentence(words: list[str], status: int, said: str) -> None:
    found, sentence = refused(*words)
    assert found == status
    assert said in sentence
    assert sentence.count("\n") == 1


def test_bridge_passes_pipelined_calls_on_in_order(more: str) -> None:
    given = frames(ping("one"), ping("two", oneway=True), ping("three"))
    replies = unframed(printed("bridge", "--connect", more, given=given))
    assert replies == [pong("one"), pong("three")]


def test_bridge_by_resolver(resolver: str) -> None:
    """A call after a oneway call arrives as it is, and each call finds its own service."""
    given = frames(
        ping("one"),
        ping("two", oneway=True),
        ping("three"),
        {"method": "org.example.more.TestMore", "parameters": {"n": 1}, "more": True},
        {"method": "org.varlink.service.GetInfo"},
        {
            "method": "org.varlink.service.GetInterfaceDescription",
            "parameters": {"interface": "org.example.more"},
        },
        ping("four"),
        {"method": "org.example.nope.Call"},
        {"method": "org.example.nope.Call", "oneway": True},
        ping("five"),
    )
    replies = unframed(printed("-r", resolver, "bridge", given=given))
    assert replies[:2] == [pong("one"), pong("three")]
    assert [reply.get("continues", False) for reply in replies[2:6]] == [True, True, True, False]  # type: ignore[attr-defined]
    info, description, four, nope, five = replies[6:]
    assert info["parameters"]["vendor"] == "resolved"  # type: ignore[index]
    assert "interface org.example.more" in description["parameters"]["description"]  # type: ignore[index]
    assert (four, five) == (pong("four"), pong("five"))
    assert nope["error"] == "org.varlink.resolver.InterfaceNotFound"  # type: ignore[index]


def test_bridge_reads_from_a_file(more: str, tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    calls.write_bytes(frames(ping("one")))
    with calls.open("rb") as file:
        done = subprocess.run(
            [*COMMAND, "bridge", "--connect", more],
            stdin=file,
            capture_output=True,
            check=True,
            timeout=PATIENCE,
        )
    assert unframed(done.stdout.decode()) == [pong("one")]


@pytest.mark.parametrize("direction", ["call", "reply"])
def test_a_bridge_passes_no_descriptors_on(direction: str, tmp_path: Path) -> None:
    """Nor the message that they came with (rule D4)."""
    ours, theirs = socket.socketpair()
    frame = b'{"method":"org.example.more.Ping","parameters":{"ping":"x"}}\0'
    with ours, socket.socket(socket.AF_UNIX) as listener, open("/dev/null", "rb") as null:
        listener.bind(f"{tmp_path}/socket")
        listener.listen()
        process = subprocess.Popen(
            [*COMMAND, "bridge", "--connect", f"unix:{tmp_path}/socket"],
            stdin=theirs,
            stdout=theirs,
            stderr=subprocess.PIPE,
        )
        theirs.close()
        with process:
            service, _ = listener.accept()
            with service:
                sender, other = (ours, service) if direction == "call" else (service, ours)
                socket.send_fds(sender, [frame], [null.fileno()])
                assert other.recv(1000) == b""
            assert process.stderr is not None
            assert b"file descriptors, which a bridge cannot pass on" in process.stderr.read()
            assert process.wait() == 1


def test_a_bridge_passes_on_more_than_fits_in_between(more: str) -> None:
    """The service takes no more calls until its replies are read."""
    given = frames(*(ping(str(i) + "x" * 1000) for i in range(20_000)))
    replies = unframed(printed("bridge", "--connect", more, given=given))
    assert len(replies) == 20_000
    assert replies[-1] == pong("19999" + "x" * 1000)


def describe(interface: str) -> dict[str, object]:
    method = "org.varlink.service.GetInterfaceDescription"
    return {"method": method, "parameters": {"interface": interface}}


def test_bridge_by_registry(registry: Path) -> None:
    """Without a resolver the registry is all there is, and the bridge says itself what all have in common."""
    given = frames(
        {"method": "org.varlink.service.GetInfo"},
        describe("org.varlink.service"),
        describe("org.example.more"),
        ping("one"),
        {"method": "org.example.nope.Call"},
        ping("two"),
    )
    done = run("bridge", given=given, env={"XDG_RUNTIME_DIR": str(registry)})
    assert (done.returncode, done.stderr) == (0, b"")
    info, own, description, one, nope, two = unframed(done.stdout.decode())
    assert info["parameters"]["product"] == "varlink bridge"  # type: ignore[index]
    assert {"org.varlink.service", "org.example.more"} <= set(info["parameters"]["interfaces"])  # type: ignore[index]
    assert "interface org.varlink.service" in own["parameters"]["description"]  # type: ignore[index]
    assert "interface org.example.more" in description["parameters"]["description"]  # type: ignore[index]
    assert (one, two) == (pong("one"), pong("two"))
    assert nope == {
        "error": "org.varlink.service.InterfaceNotFound",
        "parameters": {"interface": "org.example.nope"},
    }


@pytest.mark.parametrize("how", ["address", "option"])
def test_a_bridge_over_ssh(registry: Path, how: str) -> None:
    """The services of another machine, by the registry there."""
    ssh = stand_in_ssh(registry)
    command = f"{sys.executable} -m fastvarlink bridge"
    words = (
        [f"ssh-exec:somewhere:{command}"]
        if how == "address"
        else ["-b", f"{ssh} -e none -T somewhere {command}"]
    )
    environment = {"XDG_RUNTIME_DIR": str(registry), "SYSTEMD_SSH": str(ssh)}
    done = run("call", *words, "org.example.more.Ping", "ping=there", env=environment)
    assert (done.returncode, done.stdout, done.stderr) == (0, b'{"pong":"there"}\n', b"")
    done = run("list-interfaces", *words, env=environment)
    assert b"org.example.more\n" in done.stdout


def test_a_bridge_to_a_program(tmp_path: Path) -> None:
    program = answering(tmp_path)
    replies = unframed(printed("bridge", "--connect", f"exec:{program}", given=frames(ping("one"))))
    assert replies == [pong("one")]


@pytest.mark.parametrize(
    ("given", "status", "said"),
    [
        (b"{\0", 5, "not JSON"),
        (b"[]\0", 5, "no JSON object"),
        (b"{}\0", 5, "calls no method"),
    ],
)
def test_what_is_no_call(given: bytes, status: int, said: str) -> None:
    found, sentence = refused("bridge", given=given)
    assert (found, said in sentence) == (status, True)


@pytest.mark.parametrize("words", [[], ["--connect", "{more}"]])
def test_a_closed_stdin(more: str, words: list[str]) -> None:
    command = [*COMMAND, "bridge", *(word.replace("{more}", more) for word in words)]
    done = subprocess.run(
        ["/bin/sh", "-c", 'exec "$@" <&-', "sh", *command], capture_output=True, timeout=PATIENCE, check=False
    )
    assert (done.returncode, done.stderr) == (5, b"There are no calls to pass on: stdin is closed.\n")


@pytest.mark.parametrize("words", [["-r", "{resolver}"], ["--connect", "{more}"]])
def test_a_reader_that_leaves_ends_the_bridge_quietly(more: str, resolver: str, words: list[str]) -> None:
    command = [*COMMAND, "bridge", *(word.format(more=more, resolver=resolver) for word in words)]
    near, far = os.pipe()
    os.close(near)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=far, stderr=subprocess.PIPE) as process:
        os.close(far)
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdin.write(frames(ping("one")))
        process.stdin.flush()
        assert process.stderr.read() == b""
        assert process.wait(PATIENCE) == 141
