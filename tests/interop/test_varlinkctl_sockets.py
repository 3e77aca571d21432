"""systemd's varlinkctl where sockets are passed on: upgrades, descriptors, services that it starts itself."""

from __future__ import annotations

import contextlib
import json
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from peers import PATIENCE
from systemd import VarlinkCtl

import fastvarlink

RELAY = "org.example.relay"
SERVICE = [sys.executable, str(Path(__file__).parent / "relay_service.py")]


@contextlib.contextmanager
def monitored(service: str, address: str) -> Iterator[str]:
    """The address of our monitor, through which a service is reached."""
    words = [sys.executable, "-m", "fastvarlink", "monitor", service, "--listen", address]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().startswith(b"Listening")
            yield address
            process.send_signal(signal.SIGINT)
            assert b"closed by the client" in process.communicate(timeout=PATIENCE)[0]
            assert process.returncode == 0
        finally:
            process.kill()


@pytest.fixture(params=["listening", "monitored", "connected"])
def relay(request: pytest.FixtureRequest, varlinkctl: VarlinkCtl, tmp_path: Path) -> Iterator[str]:
    """The address of the service: of its socket, of a monitor, or of the program for varlinkctl to start."""
    if "--push-fd" not in varlinkctl("--help").stdout:
        pytest.skip("This varlinkctl sends no descriptors yet.")
    if request.param == "listening":
        with fastvarlink.Client.new_with_activate(SERVICE) as client:
            yield str(client)
    elif request.param == "monitored":
        with (
            fastvarlink.Client.new_with_activate(SERVICE) as client,
            monitored(str(client), f"unix:{tmp_path}/monitor") as address,
        ):
            yield address
    else:
        program = tmp_path / "relay"
        program.write_text(f"#!/bin/sh\nexec {shlex.join(SERVICE)}\n")
        program.chmod(0o755)
        yield f"exec:{program}"


def outcome(done: subprocess.CompletedProcess[str]) -> tuple[int, str, str]:
    return done.returncode, done.stdout, done.stderr


@pytest.mark.rule("S2")
def test_plain_calls(relay: str, varlinkctl: VarlinkCtl) -> None:
    assert outcome(varlinkctl("list-interfaces", relay)) == (0, f"{RELAY}\norg.varlink.service\n", "")
    assert "method Shout(" in varlinkctl("introspect", relay, RELAY).stdout
    done = varlinkctl("call", "-j", relay, f"{RELAY}.Read", '{"files":[]}')
    assert outcome(done) == (0, '{"text":""}\n', "")


@pytest.mark.rule("C12")
@pytest.mark.parametrize("lines", ["", "one\ntwo\n", "x" * 2**20 + "\n"])
def test_it_takes_a_connection_over(relay: str, varlinkctl: VarlinkCtl, lines: str) -> None:
    """It sends its input once the reply has come, then the end of it; the reply itself it does not show."""
    done = varlinkctl("call", "--upgrade", relay, f"{RELAY}.Shout", '{"greeting":"Hear!"}', input=lines)
    assert outcome(done) == (0, "Hear!\n" + lines.upper(), "")


@pytest.mark.rule("C12")
def test_it_is_refused_a_connection(relay: str, varlinkctl: VarlinkCtl) -> None:
    done = varlinkctl("call", "--upgrade", relay, f"{RELAY}.Shout", '{"greeting":""}', input="one\n")
    assert outcome(done) == (1, "", f"Upgrade via {RELAY}.Shout() failed with error: {RELAY}.NotNow\n")


@pytest.mark.rule("C11")
def test_it_has_to_ask_for_the_connection(relay: str, varlinkctl: VarlinkCtl) -> None:
    done = varlinkctl("call", "-j", relay, f"{RELAY}.Shout", '{"greeting":"Hear!"}')
    # EPROTOTYPE is what systemd makes of ExpectedUpgrade.
    complaint = f"Method call {RELAY}.Shout() failed: Protocol wrong type for socket\n"
    assert outcome(done) == (1, "{}\n", complaint)


@pytest.mark.rule("C11")
def test_it_asks_where_no_connection_is_given(relay: str, varlinkctl: VarlinkCtl) -> None:
    """The connection goes on as it was, so that its input can be a call."""
    read = f"{RELAY}.Read"
    call = json.dumps({"method": read, "parameters": {"files": []}}) + "\0"
    done = varlinkctl("call", "--upgrade", relay, read, '{"files":[]}', input=call)
    assert outcome(done) == (0, '{"parameters":{"text":""}}\0', "")


@pytest.mark.rule("D2")
def test_it_sends_descriptors(relay: str, varlinkctl: VarlinkCtl, tmp_path: Path) -> None:
    options = []
    for name in ("a", "b", "ü"):
        (tmp_path / name).write_text(f"{name}\n", "utf-8")
        options.append(f"--push-fd={tmp_path / name}")
    done = varlinkctl("call", "-j", *options, relay, f"{RELAY}.Read", '{"files":[2,0,1]}')
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == {"text": "ü\na\nb\n"}


@pytest.mark.rule("D4")
@pytest.mark.parametrize("files", ["[0]", "[1]", "[-1]"])
def test_it_sends_no_such_descriptor(relay: str, varlinkctl: VarlinkCtl, tmp_path: Path, files: str) -> None:
    (tmp_path / "a").touch()
    options = [] if files == "[0]" else [f"--push-fd={tmp_path / 'a'}"]
    done = varlinkctl("call", "-j", *options, relay, f"{RELAY}.Read", f'{{"files":{files}}}')
    assert (done.returncode, list(json.loads(done.stdout))) == (1, ["parameter"])
    assert done.stderr == f"Method call {RELAY}.Read() failed: Invalid argument\n"


@pytest.mark.rule("D2")
def test_it_receives_a_descriptor(relay: str, varlinkctl: VarlinkCtl) -> None:
    """The command gets the reply as its input, and the descriptors from 3 on."""
    command = ["sh", "-c", "cat; echo; env | grep ^LISTEN_FDS=; cat <&3"]
    done = varlinkctl("--exec", "call", "-j", relay, f"{RELAY}.Write", '{"text":"Né"}', "--", *command)
    assert (done.returncode, done.stderr) == (0, "")
    reply, *rest = done.stdout.split()
    assert json.loads(reply) == {"file": 0}
    assert rest == ["LISTEN_FDS=1", "Né"]
