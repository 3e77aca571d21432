"""The command beside varlinkctl and python-varlink's: the same words, the same service, the same answers."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from peers import PATIENCE, Original
from systemd import VarlinkCtl, command, running
from test_varlinkctl import ECHO, WORD, serving_echo

Command = Callable[..., subprocess.CompletedProcess[str]]
SAY = json.dumps({"word": WORD, "times": 3, "weight": 0.1, "extra": {"a": [1, None]}})


@pytest.fixture(scope="module")
def echo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the service, which all tests here share."""
    address = f"unix:{tmp_path_factory.mktemp('echo')}/socket"
    with serving_echo(address):
        yield address


def ours(*words: str, input: str = "") -> subprocess.CompletedProcess[str]:
    return run([sys.executable, "-m", "fastvarlink"], words, input)


@pytest.fixture
def theirs(original: Original) -> Command:
    """python-varlink's command."""

    def run_theirs(*words: str, input: str = "") -> subprocess.CompletedProcess[str]:
        return run([original.python, "-m", "varlink.cli"], words, input)

    return run_theirs


def run(program: list[str], words: tuple[str, ...], input: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*program, *words], input=input, capture_output=True, encoding="utf-8", timeout=PATIENCE, check=False
    )


def values(text: str) -> list[Any]:
    """All JSON values of an output, in whichever form they are printed."""
    decoder, found, at = json.JSONDecoder(), [], 0
    text = text.replace("\x1e", "")
    while text[at:].strip():
        value, at = decoder.raw_decode(text, len(text) - len(text[at:].lstrip()))
        found.append(value)
    return found


# {} stands for the address of the service.
CALLS = {
    "call": ["call", "{}", f"{ECHO}.Say", SAY],
    "short": ["--json=short", "call", "{}", f"{ECHO}.Say", SAY],
    "pretty": ["--json=pretty", "call", "{}", f"{ECHO}.Say", SAY],
    "j": ["-j", "call", "{}", f"{ECHO}.Say", SAY],
    "more": ["call", "--more", "{}", f"{ECHO}.Count", '{"last": 3}'],
    "endless": ["-E", "call", "{}", f"{ECHO}.Count", '{"last": 3}'],
    "collect": ["call", "--collect", "{}", f"{ECHO}.Count", '{"last": 3}'],
    "quiet": ["call", "-q", "{}", f"{ECHO}.Say", SAY],
    "oneway": ["call", "--oneway", "{}", f"{ECHO}.Note", '{"text": "x"}'],
    "graceful": ["call", f"--graceful={ECHO}.Refused", "{}", f"{ECHO}.Refuse", '{"reason": "busy"}'],
    "timeout": ["call", "--timeout=60", "{}", f"{ECHO}.Say", SAY],
    "infinity": ["call", "--timeout=infinity", "{}", f"{ECHO}.Say", SAY],
    "info": ["-j", "info", "{}"],
    "list-interfaces": ["-j", "list-interfaces", "{}"],
}


@pytest.mark.parametrize("words", CALLS.values(), ids=CALLS)
def test_the_same_json_as_varlinkctl(words: list[str], echo: str, varlinkctl: VarlinkCtl) -> None:
    filled = [echo if word == "{}" else word for word in words]
    peer, mine = varlinkctl(*filled), ours(*filled)
    assert (mine.returncode, mine.stderr) == (0, "")
    assert peer.returncode == 0
    assert values(mine.stdout) == values(peer.stdout)
    # One value on a line, or a sequence of them: as scripts read it.
    if "pretty" not in " ".join(words):
        assert mine.stdout.count("\x1e") == peer.stdout.count("\x1e")
        assert mine.stdout.count("\n") == peer.stdout.count("\n")


@pytest.mark.parametrize("interfaces", [[], [ECHO]])
def test_the_same_lists_as_varlinkctl(interfaces: list[str], echo: str, varlinkctl: VarlinkCtl) -> None:
    peer, mine = varlinkctl("list-methods", echo, *interfaces), ours("list-methods", echo, *interfaces)
    assert sorted(mine.stdout.split()) == sorted(peer.stdout.split())
    peer, mine = (
        varlinkctl("-j", "list-methods", echo, *interfaces),
        ours("-j", "list-methods", echo, *interfaces),
    )
    assert sorted(json.loads(mine.stdout)) == sorted(json.loads(peer.stdout))
    peer, mine = varlinkctl("list-interfaces", echo), ours("list-interfaces", echo)
    assert sorted(mine.stdout.split()) == sorted(peer.stdout.split())


@pytest.mark.parametrize(
    "words",
    [
        ["call", "{}", f"{ECHO}.Refuse", '{"reason": "busy"}'],
        ["call", "{}", f"{ECHO}.Nope", "{}"],
        ["call", "{}", "org.example.none.Nope", "{}"],
        ["call", "{}", f"{ECHO}.Say", "{}"],
        ["call", "{}", f"{ECHO}.Say", "{"],
        ["call", "unix:/no/such/socket", f"{ECHO}.Say", "{}"],
        ["call", "--timeout=0.1", "{}", f"{ECHO}.Wait", "{}"],
        ["info", "unix:/no/such/socket"],
        ["introspect", "{}", "org.example.none"],
    ],
)
def test_where_varlinkctl_fails_we_do(words: list[str], echo: str, varlinkctl: VarlinkCtl) -> None:
    filled = [echo if word == "{}" else word for word in words]
    peer, mine = varlinkctl(*filled), ours(*filled)
    assert peer.returncode != 0
    assert mine.returncode != 0
    assert mine.stdout == ""
    assert mine.stderr.count("\n") == 1


def test_a_service_of_systemd(systemd_tree: Path, varlinkctl: VarlinkCtl, tmp_path: Path) -> None:
    """Its lists, and a call to it."""
    address = f"unix:{tmp_path}/credentials"
    with running(command(systemd_tree, "usr/bin/systemd-creds"), address):
        for verb in ("info", "list-interfaces"):
            assert json.loads(ours(verb, "-j", address).stdout) == json.loads(
                varlinkctl(verb, "-j", address).stdout
            )
        peer, mine = varlinkctl("list-methods", address), ours("list-methods", address)
        assert sorted(mine.stdout.split()) == sorted(peer.stdout.split())
        words = ["call", address, "io.systemd.Credentials.Decrypt", '{"blob": "bm9uc2Vuc2U="}']
        mine = ours(*words)
        assert mine.returncode == varlinkctl(*words).returncode == 1
        assert "io.systemd.Credentials." in mine.stderr or "InvalidParameter" in mine.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["info", "{}"],
        ["help", "{}/" + ECHO],
        ["call", "{}/" + ECHO + ".Say", SAY],
        ["call", "-m", "{}/" + ECHO + ".Count", '{"last": 3}'],
        ["-b", "varlink bridge --connect {}", "info"],
        ["-b", "varlink bridge --connect {}", "call", ECHO + ".Say", SAY],
    ],
)
def test_the_same_as_python_varlink(words: list[str], echo: str, theirs: Command, original: Original) -> None:
    programs = {"ours": f"{sys.executable} -m fastvarlink", "theirs": f"{original.python} -m varlink.cli"}

    def filled(program: str) -> list[str]:
        return [
            word.replace("varlink bridge", f"{program} bridge").replace("{}", echo)
            if word.startswith(("varlink", "{}"))
            else word
            for word in words
        ]

    peer = theirs(*filled(programs["theirs"]))
    # Each carries the other's calls, too.
    for bridge in programs.values():
        mine = ours(*filled(bridge))
        assert (mine.returncode, mine.stderr) == (0, "")
        if "call" in words:
            assert values(mine.stdout) == values(peer.stdout)
        elif "info" in words:
            assert mine.stdout == peer.stdout
        else:
            assert ECHO in mine.stdout
    assert peer.returncode == 0


@pytest.mark.parametrize("method", ["Nope", "Refuse", "Say"])
def test_where_python_varlink_fails_we_do(method: str, echo: str, theirs: Command) -> None:
    words = ["call", f"{echo}/{ECHO}.{method}", "{}"]
    mine, peer = ours(*words), theirs(*words)
    assert mine.returncode == 1
    assert peer.returncode != 0 or peer.stderr
    assert mine.stdout == peer.stdout == ""
