"""Shells complete the words of the command, by what its parsers and the services say."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from fastvarlink.cli.verbs import VERBS

from .command import PATIENCE, Terminal, on_terminal, printed, run

# What bash breaks words at unless it is told otherwise.
BREAKS = " \t\n\"'@><=;|&(:"
SHELLS = ("bash", "zsh", "fish")

Shell = Callable[..., AbstractContextManager[Terminal]]


def completed(*words: str) -> list[str]:
    """What the last word may become, without descriptions."""
    return [line.partition("\t")[0] for line in printed("complete", "fish", *words).splitlines()]


def in_bash(line: str) -> list[str]:
    return printed("complete", "bash", line, BREAKS).splitlines()


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here it may take as long as it takes."""
    monkeypatch.setenv("VARLINK_COMPLETION_SECONDS", str(PATIENCE))


# ---- what is offered


def test_a_verb_is_offered_with_its_summary_and_a_hidden_one_is_not() -> None:
    lines = printed("complete", "fish", "").splitlines()
    assert lines == [f"{verb}\t{text}" for verbs in VERBS.values() for verb, text in verbs.items()]
    assert "complete\t" not in "\n".join(lines)
    assert "  complete " not in printed("--help")


def test_options_come_from_the_parser() -> None:
    found = completed("call", "--")
    assert {"--more", "--json=", "--oneway", "-m", "--timeout=", "--help"} <= set(found)
    assert completed("call", "--json=") == ["--json=pretty", "--json=short", "--json=off"]
    assert completed("call", "--json", "") == ["pretty", "short", "off"]
    assert completed("completion", "") == ["bash", "zsh", "fish"]


def test_a_socket_is_offered_as_an_address(more: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "socket").symlink_to(more.removeprefix("unix:"))
    assert completed("info", f"unix:{tmp_path}/") == [f"unix:{tmp_path}/folder/", f"unix:{tmp_path}/socket"]
    assert completed("info", f"{tmp_path}/") == [f"{tmp_path}/folder/", f"{tmp_path}/socket"]
    # Where an interface follows in the same word, it does behind a slash.
    assert f"unix:{tmp_path}/socket/" in completed("call", f"unix:{tmp_path}/")


def test_an_abstract_socket_that_listens_is_offered(tmp_path: Path) -> None:
    name = f"@org.example.completion.{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("\0" + name[1:])
        listener.listen()
        assert f"unix:{name}" in completed("info", "unix:@")
        assert f"unix:{name}" in completed("info", "")


def test_interfaces_methods_fields_and_values_are_asked_for(more: str) -> None:
    assert completed("call", f"{more}/") == [f"{more}/org.varlink.service.", f"{more}/org.example.more."]
    methods = [f"org.example.more.{name}" for name in ("Ping", "TestMore", "StopServing")]
    assert completed("call", f"{more}/org.ex") == [f"{more}/{method}" for method in methods]
    assert completed("call", more, "org.ex") == methods
    assert completed("call", "--more", more, "org.example.more.TestMore", "") == ["n="]
    assert completed("call", f"{more}/org.example.more.TestMore", "n=1", "") == []
    assert completed("list-methods", more, "") == ["org.varlink.service", "org.example.more"]


def test_what_a_method_does_and_a_field_is_are_the_descriptions(more: str) -> None:
    (line, *_) = printed("complete", "fish", "call", f"{more}/org.example.more.").splitlines()
    assert line == f"{more}/org.example.more.Ping\tSends back what it was given"
    assert printed("complete", "fish", "call", more, "org.example.more.Ping", "") == "ping=\tstring\n"
    assert (
        printed("complete", "zsh", "call", more, "org.example.more.Ping", "").encode() == b"+ping=:string\n"
    )


def test_values_of_an_enum_and_fields_of_a_struct_are_offered(service: Callable[[str], str]) -> None:
    address = service(
        "interface org.example.typed\n"
        "# How it looks\ntype Colour (red, green)\n"
        "type Shape (colour: ?Colour, round: bool, inner: ?Shape)\n"
        "method Draw(shape: Shape, colours: []Colour, names: [string]int, extra: object) -> ()\n"
    )
    draw = ("call", f"{address}/org.example.typed.Draw")
    assert completed(*draw, "") == ["shape.", "colours=", "names.", "extra:="]
    assert completed(*draw, "shape.") == ["shape.colour=", "shape.round=", "shape.inner."]
    assert completed(*draw, "shape.inner.inner.colour=") == [
        f"shape.inner.inner.colour={colour}" for colour in ("red", "green")
    ]
    assert completed(*draw, "shape.round=") == ["shape.round=true", "shape.round=false"]
    # An array goes on with each word of its name.
    assert completed(*draw, "colours=red", "extra:={}", "") == ["shape.", "colours=", "names."]
    assert completed(*draw, "nothing.at.all=") == []
    assert in_bash(f"varlink {' '.join(draw)} shape.colour=r") == ["red "]


def test_files_are_left_to_the_shell() -> None:
    assert in_bash("varlink exec ") == [":files"]
    assert completed("exec", "") == [":files0"]
    assert completed("info", "--bridge=") == [":files9"]
    assert completed("call", "unix:/x/org.example.more.Ping", "@par") == [":files1"]


@pytest.mark.parametrize(
    "words",
    [
        ("call", "unix:/nowhere/org.example.more.Ping", ""),
        ("call", "unix:/nowhere", "org."),
        ("list-methods", "no address", ""),
        ("call", "--nonsense", "unix:/x/"),
        # No program is started.
        ("call", "exec:/bin/true", ""),
        ("call", "--activate=/bin/true", "org.example.more.Ping", ""),
    ],
)
def test_what_cannot_be_asked_has_no_candidates(words: tuple[str, ...]) -> None:
    done = run("complete", "zsh", *words)
    assert (done.returncode, done.stdout) == (0, b"")


def test_a_service_that_does_not_answer_does_not_hold_the_shell_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VARLINK_COMPLETION_SECONDS")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "dead"))
        listener.listen()
        done = run("complete", "zsh", "call", f"unix:{tmp_path}/dead/")
    assert (done.returncode, done.stdout) == (0, b"")


def test_complete_is_for_scripts() -> None:
    assert run("complete").returncode == 2


# ---- bash's words


def test_bash_replaces_what_is_behind_a_colon_or_an_equals_sign(more: str) -> None:
    path = more.removeprefix("unix:")
    assert in_bash(f"varlink call {more}/org.example.more.P") == [f"{path}/org.example.more.Ping "]
    assert in_bash("varlink call --json=s") == ["short "]
    assert in_bash(f"varlink call {more}/org.example.more.Ping ") == ["ping="]


def test_bash_gets_quotes_as_they_stand(more: str, tmp_path: Path) -> None:
    (tmp_path / "a b").symlink_to(more.removeprefix("unix:"))
    assert in_bash(f"varlink info unix:{tmp_path}/") == [f"{tmp_path}/a\\ b "]
    assert in_bash(f"varlink info unix:{tmp_path}/a\\ ") == [f"{tmp_path}/a\\ b "]
    assert in_bash(f"varlink info 'unix:{tmp_path}/a") == [f"unix:{tmp_path}/a b"]
    assert in_bash(f'varlink info unix:"{tmp_path}/a') == [f"{tmp_path}/a b"]


# ---- real shells


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Serves an interface of which only the definition is there."""
    running: list[subprocess.Popen[bytes]] = []
    program = (
        "import sys, fastvarlink as v\n"
        "s = v.Service(vendor='v', product='p', version='1', url='u', interface_dir=sys.argv[1])\n"
        "s.interface('org.example.typed')(type('T', (), {'Draw': lambda self: None}))\n"
        "class H(v.RequestHandler):\n    service = s\n"
        "with v.ThreadingServer(sys.argv[2], H) as server:\n"
        "    print('ready', flush=True)\n    server.serve_forever()\n"
    )

    def serve(definition: str) -> str:
        (tmp_path / "org.example.typed.varlink").write_text(definition)
        address = f"unix:{tmp_path}/typed"
        process = subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path), address], stdout=subprocess.PIPE
        )
        running.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        return address

    yield serve
    for process in running:
        process.kill()
        process.communicate()


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest, tmp_path: Path) -> Shell:
    """Starts a shell that completes ``varlink``; what is typed behind ``ready> `` is to be read."""
    name: str = request.param
    if shutil.which(name) is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{name} is not installed. In CI no shell may be skipped.")
        pytest.skip(f"{name} is not installed.")
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "varlink"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m fastvarlink "$@"\n')
    program.chmod(0o755)
    env = {
        "PATH": f"{program.parent}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path),
        "XDG_DATA_HOME": str(tmp_path),
        "PS1": "ready> ",
        "PYTHONPATH": os.pathsep.join(sys.path),
        "VARLINK_COMPLETION_SECONDS": str(PATIENCE),
    }
    begin = {
        "bash": ("--norc", "--noprofile", "-i"),
        "zsh": ("-f", "-i"),
        "fish": ("-i",),
    }[name]
    setup = {
        "bash": "source <(varlink completion bash)",
        "zsh": "autoload -U compinit && compinit -u -D && source <(varlink completion zsh)",
        "fish": "varlink completion fish | source; function fish_prompt; echo 'ready> '; end",
    }[name]

    @contextmanager
    def start() -> Iterator[Terminal]:
        with on_terminal(*begin, env=env, cwd=tmp_path, command=[name]) as terminal:
            terminal.type(f"{setup}; echo set'' up\r")
            terminal.read_until("set up")
            yield terminal

    return start


def test_a_shell_completes(shell: Shell, more: str, tmp_path: Path) -> None:
    os.symlink(more.removeprefix("unix:"), tmp_path / "socket")
    (tmp_path / "my script.py").write_text("print('so' + ' it ran')")
    with shell() as terminal:
        # By first letters: an address and a method in one word or in two, and what else there is.
        terminal.type(f"varlink cal\t{more}/org.ex\tP\tpi\tone\r")
        assert '"pong"' in terminal.read_until('"one')
        terminal.type(f"varlink call --json=s\tunix:{tmp_path}/soc\torg.ex\tPi\tping=x\r")
        terminal.read_until('{"pong":"x"}')
        terminal.type("varlink exec my\t\r")
        terminal.read_until("so it ran")
        if terminal.process.args[0] != "bash":
            # bash shows no descriptions.
            terminal.type(f"varlink call {more} org.example.more.\t\t")
            terminal.read_until("Ends the service")
