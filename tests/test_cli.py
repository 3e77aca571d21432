"""The command line, run as a user runs it: what is printed where, and the exit status."""

from __future__ import annotations

import json
import select
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
PATIENCE = 60
RESOLVER_IDL = """interface org.varlink.resolver
method GetInfo() -> (vendor: string, product: string, version: string, url: string,
  interfaces: []string)
method Resolve(interface: string) -> (address: string)
error InterfaceNotFound (interface: string)
"""
# Resolves org.example.more and org.varlink.resolver, and nothing else.
RESOLVER = """
import sys
import fastvarlink as varlink
folder, address, more = sys.argv[1:]
service = varlink.Service(vendor="resolver", interface_dir=folder)

@service.interface("org.varlink.resolver")
class Resolver:
    def GetInfo(self):
        return dict(vendor="resolved", product="", version="", url="", interfaces=[])
    def Resolve(self, interface):
        if interface != "org.example.more":
            raise varlink.VarlinkError({"error": "org.varlink.resolver.InterfaceNotFound",
                                        "parameters": {"interface": interface}})
        return {"address": more}

class Handler(varlink.RequestHandler):
    pass

Handler.service = service
with varlink.ThreadingServer(address, Handler) as server:
    print("ready", flush=True)
    server.serve_forever()
"""


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


@pytest.fixture(scope="module")
def resolver(more: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running resolver that knows the service more."""
    folder = tmp_path_factory.mktemp("resolver")
    (folder / "org.varlink.resolver.varlink").write_text(RESOLVER_IDL)
    address = f"unix:{folder}/resolver"
    process = started("-c", RESOLVER, str(folder), address, more)
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


def frames(*messages: object) -> bytes:
    return b"".join(json.dumps(message).encode() + b"\0" for message in messages)


def unframed(data: str) -> list[object]:
    assert data.endswith("\0")
    return [json.loads(frame) for frame in data[:-1].split("\0")]


def ping(text: str, **flags: object) -> dict[str, object]:
    return {"method": "org.example.more.Ping", "parameters": {"ping": text}, **flags}


def pong(text: str) -> dict[str, object]:
    return {"parameters": {"pong": text}}


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
    assert printed("help", "--text", f"{more}/org.example.more").strip() == text.strip()


def test_call(more: str) -> None:
    reply = printed("call", f"{more}/org.example.more.Ping", '{"ping": "hello"}')
    assert json.loads(reply) == {"pong": "hello"}


def test_call_with_more_prints_every_reply(more: str) -> None:
    text = printed("call", "-m", f"{more}/org.example.more.TestMore", '{"n": 2}')
    replies = [json.loads(reply + "}") for reply in text.split("\n}\n")[:-1]]
    progress = [reply["state"].get("progress") for reply in replies]
    assert progress == [None, 0, 50, 100, None]


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
    command = f"{sys.executable} {EXAMPLES / 'more.py'} --varlink=$VARLINK_ADDRESS"
    reply = printed("-A", command, "call", "org.example.more.Ping", '{"ping": "hello"}')
    assert json.loads(reply[reply.index("{") :]) == {"pong": "hello"}


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
        (["call", "org.example.more.Ping"], 1, "resolver"),
        (["call", "unix:/no/such/socket/org.example.more.Ping"], 1, "/no/such/socket"),
        (["call", "uenix:there/org.example.more.Ping"], 1, "uenix:there"),
        (["info"], 2, "Nothing says where"),
        (["info", "unix:/no/such/socket"], 1, "Is the service running?"),
        (["help", "unix:/no/such/socket/org.example.more"], 1, "/no/such/socket"),
        (["-b", "/no/such/command", "info"], 1, "/no/such/command"),
        (["bridge", "--connect", "unix:/no/such/socket"], 1, "/no/such/socket"),
        (["-r", "unix:/no/such/socket", "help", "a.b"], 1, "/no/such/socket"),
        ([], 2, "usage:"),
    ],
)
def test_mistakes_are_told_in_a_sentence(more: str, words: list[str], status: int, said: str) -> None:
    done = varlink(*(word.replace("{more}", more) for word in words))
    assert (done.returncode, done.stdout) == (status, b"")
    assert said in done.stderr.decode()


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
            [sys.executable, "-m", "fastvarlink", "bridge", "--connect", more],
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
            [sys.executable, "-m", "fastvarlink", "bridge", "--connect", f"unix:{tmp_path}/socket"],
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
