"""systemd's varlinkctl as a client of a service that runs as a process. It knows unix sockets, and no TCP."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from peers import PATIENCE
from systemd import VarlinkCtl

from fastvarlink import idl

HERE = Path(__file__).parent
ECHO = "org.example.echo"
METHODS = ["Count", "Note", "Notes", "Refuse", "Release", "Say", "Wait"]
WORD = {"text": 'naïve 😀 \N{LINE SEPARATOR} \x01\t"\\/', "volume": "loud", "tags": {"ä": True}, "others": []}
REFUSED = f"{ECHO}.Refused"
# By the parameter that they have, errors of org.varlink.service, and what later versions of systemd print.
ERRORS = {
    "method": ("MethodNotFound", "No such device or address"),
    "interface": ("InterfaceNotFound", "Cannot assign requested address"),
    "parameter": ("InvalidParameter", "Invalid argument"),
}


@contextlib.contextmanager
def serving_echo(address: str) -> Iterator[None]:
    process = subprocess.Popen(
        [sys.executable, str(HERE / "echo_service.py"), address], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with process.stdout:
        try:
            assert process.stdout.readline() == "Listening\n"
            yield
        finally:
            process.terminate()
            status = process.wait(PATIENCE)
        assert status == 0


@pytest.fixture(scope="module")
def echo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the service, which all tests here share."""
    address = f"unix:{tmp_path_factory.mktemp('echo')}/socket"
    with serving_echo(address):
        yield address


def succeeded(done: subprocess.CompletedProcess[str]) -> str:
    """What varlinkctl printed, when it was content and complained of nothing."""
    assert done.stderr == ""
    assert done.returncode == 0
    return done.stdout


def phrasings(what_failed: str, error: str, meaning: str) -> set[str]:
    """How versions of systemd put an error of org.varlink.service: as it is called, or as what it means."""
    return {f"{what_failed}: org.varlink.service.{error}\n", f"{what_failed}: {meaning}\n"}


def failed(done: subprocess.CompletedProcess[str], complaints: set[str]) -> Any:
    """The parameters of the error reply. varlinkctl must have failed with one of the complaints."""
    assert done.stderr in complaints
    assert done.returncode == 1
    return parameters_of(done.stdout)


def parameters_of(printed: str) -> Any:
    """The parameters of a reply. For none, systemd 257 prints nothing."""
    return json.loads(printed or "{}")


def records(text: str) -> list[Any]:
    """The values of a JSON text sequence: a record separator before and a line end behind each."""
    first, *found = text.split("\x1e")
    assert first == ""
    assert all(record.endswith("\n") for record in found)
    return [json.loads(record) for record in found]


def test_it_tells_of_the_service(echo: str, varlinkctl: VarlinkCtl) -> None:
    assert succeeded(varlinkctl("info", echo)).split("\n") == [
        "    Vendor: fastvarlink",
        "   Product: Echo — naïve",
        "   Version: 1",
        "       URL: https://varlink.org",
        f"Interfaces: {ECHO}",
        "            org.varlink.service",
        "",
    ]
    assert json.loads(succeeded(varlinkctl("info", "--json=short", echo))) == {
        "vendor": "fastvarlink",
        "product": "Echo — naïve",
        "version": "1",
        "url": "https://varlink.org",
        "interfaces": ["org.varlink.service", ECHO],
    }


def test_abstract_sockets(varlinkctl: VarlinkCtl) -> None:
    address = f"unix:@{uuid4()}"
    with serving_echo(address):
        assert succeeded(varlinkctl("list-interfaces", address)).split() == [ECHO, "org.varlink.service"]
        done = varlinkctl("call", "-j", address, f"{ECHO}.Say", '{"word":{"text":"a"}}')
        assert json.loads(succeeded(done)) == {"word": {"text": "a"}}


def test_it_lists_interfaces_and_methods(echo: str, varlinkctl: VarlinkCtl) -> None:
    assert succeeded(varlinkctl("list-interfaces", echo)).split() == [ECHO, "org.varlink.service"]
    assert succeeded(varlinkctl("list-methods", echo, ECHO)).split() == [f"{ECHO}.{name}" for name in METHODS]
    assert json.loads(succeeded(varlinkctl("list-methods", "-j", echo))) == [
        *(f"{ECHO}.{name}" for name in METHODS),
        "org.varlink.service.GetInfo",
        "org.varlink.service.GetInterfaceDescription",
    ]


@pytest.mark.rule("E3")
def test_it_introspects(echo: str, varlinkctl: VarlinkCtl) -> None:
    definition = (HERE / f"{ECHO}.varlink").read_text("utf-8")
    described = json.loads(succeeded(varlinkctl("introspect", "-j", echo, ECHO)))
    assert described == {"description": definition}
    shown = succeeded(varlinkctl("introspect", echo, ECHO))
    # What varlinkctl prints, it has read and laid out anew; comments are part of the tree.
    assert idl.parse(shown) == idl.parse(definition)
    assert succeeded(varlinkctl("validate-idl", input=shown)) != ""
    everything = succeeded(varlinkctl("introspect", echo))
    assert shown in everything
    assert "interface org.varlink.service\n" in everything


def test_it_introspects_no_interface_that_is_not_there(echo: str, varlinkctl: VarlinkCtl) -> None:
    done = varlinkctl("introspect", echo, "org.example.none")
    assert (done.returncode, done.stdout) == (1, "")
    call = "Failed to issue org.varlink.service.GetInterfaceDescription() varlink call"
    assert done.stderr in phrasings(call, *ERRORS["interface"])


@pytest.mark.parametrize("given", ["argument", "input"])
def test_it_calls(echo: str, varlinkctl: VarlinkCtl, given: str) -> None:
    call = ("call", "-j", echo, f"{ECHO}.Say")
    parameters = {"word": WORD, "times": -(2**63), "weight": 0.1, "extra": {"a": [1, {"b": False}]}}
    text = json.dumps(parameters, ensure_ascii=False)
    done = varlinkctl(*call, text) if given == "argument" else varlinkctl(*call, input=text)
    assert json.loads(succeeded(done)) == parameters


@pytest.mark.rule("P2")
def test_it_sends_nulls(echo: str, varlinkctl: VarlinkCtl) -> None:
    parameters = {
        "word": {"text": "", "volume": None, "tags": None, "others": None},
        "times": None,
        "weight": None,
        "extra": {"null": None, "nulls": [None]},
    }
    done = varlinkctl("call", "-j", echo, f"{ECHO}.Say", json.dumps(parameters))
    # The nulls of declared fields are left out of replies, those inside an object are data.
    assert json.loads(succeeded(done)) == {"word": {"text": ""}, "extra": parameters["extra"]}


@pytest.mark.parametrize("text", ["x" * 2**20, "é" * 2**19, '"' * 2**19])
def test_large_messages(echo: str, varlinkctl: VarlinkCtl, text: str) -> None:
    call = json.dumps({"word": {"text": text}})
    done = varlinkctl("call", "-j", echo, f"{ECHO}.Say", input=call)
    assert json.loads(succeeded(done)) == {"word": {"text": text}}


def test_it_reads_streams(echo: str, varlinkctl: VarlinkCtl) -> None:
    count = (echo, f"{ECHO}.Count", '{"last":3}')
    numbers = [{"number": 1}, {"number": 2}, {"number": 3}]
    assert records(succeeded(varlinkctl("call", "-j", "--more", *count))) == numbers
    assert json.loads(succeeded(varlinkctl("call", "-j", "--collect", *count))) == numbers
    assert records(succeeded(varlinkctl("call", "-j", "-E", *count))) == numbers


def test_a_long_stream(echo: str, varlinkctl: VarlinkCtl) -> None:
    done = varlinkctl("call", "-j", "--more", echo, f"{ECHO}.Count", '{"last":20000}')
    assert [record["number"] for record in records(succeeded(done))] == list(range(1, 20001))


@pytest.mark.rule("C9")
def test_it_asks_for_more_where_one_reply_comes(echo: str, varlinkctl: VarlinkCtl) -> None:
    done = varlinkctl("call", "-j", "--more", echo, f"{ECHO}.Notes")
    (reply,) = records(succeeded(done))
    assert list(reply) == ["texts"]


def test_it_does_not_ask_for_more_where_it_has_to(echo: str, varlinkctl: VarlinkCtl) -> None:
    done = varlinkctl("call", "-j", echo, f"{ECHO}.Count", '{"last":3}')
    meaning = "called without 'more' flag, but flag needs to be set."
    assert failed(done, phrasings(f"Method call {ECHO}.Count() failed", "ExpectedMore", meaning)) == {}


def test_errors_end_streams(echo: str, varlinkctl: VarlinkCtl) -> None:
    count = (echo, f"{ECHO}.Count", '{"last":2,"fail":true}')
    last = {"reason": "That is all.", "number": 2}
    done = varlinkctl("call", "-j", "--more", *count)
    assert done.returncode == 1
    assert records(done.stdout) == [{"number": 1}, {"number": 2}, last]
    assert REFUSED in done.stderr
    done = varlinkctl("call", "-j", "--collect", *count)
    assert failed(done, {f"Method call {ECHO}.Count() failed: {REFUSED}\n"}) == last


def test_errors(echo: str, varlinkctl: VarlinkCtl) -> None:
    done = varlinkctl("call", "-j", echo, f"{ECHO}.Refuse", '{"reason":"Né"}')
    assert failed(done, {f"Method call {ECHO}.Refuse() failed: {REFUSED}\n"}) == {"reason": "Né"}


def test_errors_that_are_expected(echo: str, varlinkctl: VarlinkCtl) -> None:
    refuse = (echo, f"{ECHO}.Refuse", '{"reason":"no"}')
    done = varlinkctl("call", "-j", f"--graceful={REFUSED}", *refuse)
    assert (done.returncode, json.loads(done.stdout)) == (0, {"reason": "no"})
    done = varlinkctl("call", "-j", f"--graceful={ECHO}.Other", *refuse)
    assert (done.returncode, json.loads(done.stdout)) == (1, {"reason": "no"})


@pytest.mark.rule("E1")
@pytest.mark.parametrize(
    ("method", "parameters", "reply"),
    [
        (f"{ECHO}.Nope", "{}", {"method": f"{ECHO}.Nope"}),
        ("org.none.Nope", "{}", {"interface": "org.none"}),
        (f"{ECHO}.Say", '{"word":{"text":1}}', {"parameter": "word.text"}),
        (f"{ECHO}.Note", "{}", {"parameter": "text"}),
    ],
)
def test_errors_of_the_protocol(
    echo: str, varlinkctl: VarlinkCtl, method: str, parameters: str, reply: dict[str, str]
) -> None:
    done = varlinkctl("call", "-j", echo, method, parameters)
    error, meaning = ERRORS[next(iter(reply))]
    assert failed(done, phrasings(f"Method call {method}() failed", error, meaning)) == reply


@pytest.mark.rule("C8")
def test_it_wants_no_reply(echo: str, varlinkctl: VarlinkCtl) -> None:
    # It closes at once, so that the call is all that the service ever sees of it.
    for text in ("first", "second"):
        done = varlinkctl("call", "--oneway", echo, f"{ECHO}.Note", json.dumps({"text": text}))
        assert succeeded(done) == ""
    assert succeeded(varlinkctl("call", "--oneway", echo, f"{ECHO}.Nope", "{}")) == ""
    # Nothing tells when calls without a reply have been taken.
    deadline = time.monotonic() + PATIENCE
    texts: list[str] = []
    while len(texts) < 2 and time.monotonic() < deadline:
        texts = json.loads(succeeded(varlinkctl("call", "-j", echo, f"{ECHO}.Notes")))["texts"]
    assert sorted(texts) == ["first", "second"]


def test_it_prints_nothing(echo: str, varlinkctl: VarlinkCtl) -> None:
    assert succeeded(varlinkctl("call", "--quiet", echo, f"{ECHO}.Notes")) == ""


def test_it_does_not_wait_for_ever(echo: str, varlinkctl: VarlinkCtl) -> None:
    done = varlinkctl("call", "-j", "--timeout=0.2", echo, f"{ECHO}.Wait")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"Failed to issue {ECHO}.Wait() call: Timer expired\n"
    # The handler is still waiting; others are served, and it can be released.
    assert parameters_of(succeeded(varlinkctl("call", "-j", echo, f"{ECHO}.Release"))) == {}
    assert parameters_of(succeeded(varlinkctl("call", "-j", echo, f"{ECHO}.Wait"))) == {}
