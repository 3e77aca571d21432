"""introspect: the definitions of a service."""

from __future__ import annotations

import json
import os
import shlex
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from .command import COMMAND, PATIENCE, on_terminal, printed, refused, run, shown
from .conftest import EXAMPLES
from .describing import describing

MORE = (EXAMPLES / "org.example.more.varlink").read_text()
# Not as any printer would print it.
UNTIDY = "# text\r\ninterface a.b\n\nmethod   M( x:int )->()\n\n\n#end"
FAULTY = "interface a.faulty\n\nmethod m() -> ()\nmethod N(a: nothing) -> ()\n"


def test_a_definition_is_printed_as_the_service_has_it(more: str, tmp_path: Path) -> None:
    assert printed("introspect", more, "org.example.more") == MORE
    assert printed("introspect", f"{more}/org.example.more") == MORE
    with describing(tmp_path / "untidy", {"a.b": UNTIDY}) as address:
        assert run("introspect", address, "a.b").stdout == f"{UNTIDY}\n".encode()


def test_without_a_name_all_definitions_are_printed(more: str) -> None:
    text = printed("introspect", more)
    assert f"\n\n{MORE}" in text
    assert "interface org.varlink.service\n" in text


def test_several_interfaces_come_in_the_order_in_which_they_are_named(more: str) -> None:
    text = printed("introspect", more, "org.example.more", "org.varlink.service")
    assert text.startswith(f"{MORE}\n")
    assert text.index("interface org.varlink.service") > len(MORE)
    assert printed("introspect", f"{more}/org.example.more", "org.varlink.service") == text


def test_the_name_of_a_socket_may_look_like_an_interface(tmp_path: Path) -> None:
    path = tmp_path / "org.example.service"
    with describing(path, {"a.b": UNTIDY}) as address:
        for where in (address, f"{address}/a.b", str(path), f"{path}/a.b"):
            assert "interface a.b" in printed("introspect", where)


def test_json_has_the_description_of_each_interface(more: str) -> None:
    line = printed("introspect", "-j", more, "org.example.more")
    assert json.loads(line) == {"description": MORE}
    assert line.count("\n") == 1
    pretty = printed("introspect", "--json=pretty", f"{more}/org.example.more")
    assert json.loads(pretty) == {"description": MORE}
    assert len(pretty.splitlines()) == 3


@pytest.mark.parametrize("option", ["-j", "--ast"])
def test_several_json_texts_are_a_sequence(more: str, option: str) -> None:
    names = ["org.example.more", "org.varlink.service"]
    before, *texts = printed("introspect", option, more, *names).split("\x1e")
    assert before == ""
    alone = [printed("introspect", option, more, name) for name in names]
    assert texts == alone
    assert sorted(printed("introspect", option, more).split("\x1e")) == sorted(["", *alone])
    assert "\x1e" not in shown("introspect", option, more)


def test_what_is_declared_can_be_had_as_json(tmp_path: Path) -> None:
    text = """# About it.
interface a.b
type Kind (
  one, # first
  two
)
# Does it.
method M(
  # How many.
  n: ?[]int,
  kind: [string]Kind,
  any: any
) -> ()
error E (s: (x: float))
"""
    with describing(tmp_path / "a", {"a.b": text}) as address:
        (line,) = printed("introspect", "--ast", address).splitlines()
    assert json.loads(line) == {
        "interface": "a.b",
        "doc": "About it.",
        "members": [
            {
                "kind": "type",
                "name": "Kind",
                "doc": "",
                "type": {"enum": [{"name": "one", "doc": "first"}, {"name": "two", "doc": ""}]},
            },
            {
                "kind": "method",
                "name": "M",
                "doc": "Does it.",
                "input": {
                    "struct": [
                        {"name": "n", "doc": "How many.", "type": {"nullable": {"array": "int"}}},
                        {"name": "kind", "doc": "", "type": {"map": "Kind"}},
                        {"name": "any", "doc": "", "type": "any"},
                    ]
                },
                "output": {"struct": []},
            },
            {
                "kind": "error",
                "name": "E",
                "doc": "",
                "type": {
                    "struct": [
                        {
                            "name": "s",
                            "doc": "",
                            "type": {"struct": [{"name": "x", "doc": "", "type": "float"}]},
                        }
                    ]
                },
            },
        ],
    }


def test_a_definition_that_cannot_be_understood_is_printed_and_complained_of(tmp_path: Path) -> None:
    with describing(tmp_path / "a", {"a.faulty": FAULTY, "a.b": UNTIDY}) as address:
        done = run("introspect", address)
        assert done.returncode == 6
        assert done.stdout.decode() == f"{FAULTY}\n{UNTIDY}\n"
        (sentence,) = done.stderr.decode().splitlines()
        assert "The definition of a.faulty cannot be understood: line 3, column 8" in sentence
        assert json.loads(run("introspect", "-j", f"{address}/a.faulty").stdout) == {"description": FAULTY}
        status, sentence = refused("introspect", "--ast", f"{address}/a.faulty")
        assert status == 6
        assert "line 3, column 8" in sentence


def test_a_terminal_shows_colours(more: str) -> None:
    text = shown("introspect", f"{more}/org.example.more")
    assert "\x1b[90m# Sends back what it was given\x1b[0m" in text
    assert "\x1b[35mmethod\x1b[0m \x1b[1mPing\x1b[0m(\x1b[34mping\x1b[0m: \x1b[36mstring\x1b[0m)" in text
    plain = shown("introspect", f"{more}/org.example.more", env={"NO_COLOR": "1"})
    assert plain.replace("\r\n", "\n") == MORE


def test_a_definition_does_not_steer_the_terminal(tmp_path: Path) -> None:
    hostile = "# \x1b]0;title\x07\ninterface a.b\nmethod M() -> ()\n"
    with describing(tmp_path / "a", {"a.b": hostile}) as address:
        text = shown("introspect", address, env={"NO_COLOR": "1"})
        assert "\x1b" not in text
        assert "\\u001b]0;title\\u0007" in text
        assert run("introspect", address).stdout.decode() == hostile


@pytest.mark.parametrize(
    ("words", "status", "part"),
    [
        ([], 2, "Nothing says where the service is"),
        (["unix:/no/such/socket"], 3, "Is the service running?"),
        (["unix:/no/such/socket/a.b"], 3, "unix:/no/such/socket cannot be reached"),
        (["unix:/no/such/socket", "no-interface"], 2, "'no-interface' is no name of an interface"),
        (["-r", "unix:/no/such/socket", "a.b"], 3, "The resolver unix:/no/such/socket"),
    ],
)
def test_mistakes_are_told_in_a_sentence(words: list[str], status: int, part: str) -> None:
    found, sentence = refused("introspect", *words)
    assert found == status
    assert part in sentence


def test_an_interface_that_the_service_does_not_have(more: str) -> None:
    status, sentence = refused("introspect", more, "org.example.less")
    assert status == 1
    assert "org.varlink.service.InterfaceNotFound" in sentence


def test_a_service_can_be_started_for_it_or_reached_by_a_bridge(more: str) -> None:
    command = f"{shlex.join([sys.executable, str(EXAMPLES / 'more.py')])} --varlink=$VARLINK_ADDRESS"
    done = run("introspect", "-A", command, "org.example.more")
    # What the service itself says goes to stderr.
    assert (done.returncode, done.stdout.decode(), done.stderr.startswith(b"Listening")) == (0, MORE, True)
    bridge = shlex.join([*COMMAND, "bridge", "--connect", more])
    assert printed("introspect", "-b", bridge, "org.example.more") == MORE
    assert f"\n\n{MORE}" in printed("introspect", "-b", bridge)


def test_ctrl_c_while_a_service_is_silent(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "silent"))
        listening.listen()
        with on_terminal("introspect", f"unix:{tmp_path}/silent") as terminal:
            connection, _ = listening.accept()
            with connection:
                assert connection.recv(1)
                terminal.type("\x03")
                assert terminal.finish()[0] == 130


def test_a_reader_that_leaves_ends_it_quietly(more: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "wb") as output:
        done = subprocess.run(
            [*COMMAND, "introspect", more],
            stdout=output,
            stderr=subprocess.PIPE,
            check=False,
            timeout=PATIENCE,
        )
    assert (done.returncode, done.stderr) == (141, b"")
