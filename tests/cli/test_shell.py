"""One service, talked to line by line: from a pipe and on a terminal."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from .command import COMMAND, PATIENCE, Terminal, on_terminal, printed, refused, run
from .conftest import EXAMPLES


@contextmanager
def serving(address: str, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """examples/more.py at an address, until the end of the block."""
    command = [sys.executable, str(EXAMPLES / "more.py"), f"--varlink={address}", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline()
            yield process
        finally:
            process.kill()


@contextmanager
def typing(address: str, tmp_path: Path, **env: str) -> Iterator[Terminal]:
    """The shell on a terminal, once it waits for a line.

    Its address is short, since the letters that stay where they are on the screen are not written again.
    """
    (tmp_path / "s").unlink(missing_ok=True)
    (tmp_path / "s").symlink_to(address.removeprefix("unix:"))
    settings = {"XDG_STATE_HOME": str(tmp_path / "state"), "NO_COLOR": "1"}
    with on_terminal("shell", "unix:./s", env={**settings, **env}, cwd=tmp_path) as terminal:
        terminal.read_until("varlink>")
        yield terminal


# ---- from a pipe


def test_lines_are_done_one_by_one(more: str) -> None:
    lines = (
        b'Ping ping=a\n\n# a comment\nPing {"ping": "b"}\norg.example.more.Ping ping=c\noneway Ping ping=d'
    )
    assert printed("shell", more, given=lines) == '{"pong":"a"}\n{"pong":"b"}\n{"pong":"c"}\n'


def test_a_stream_prints_each_reply(more: str) -> None:
    text = printed("shell", more, given=b"more TestMore n=1\n")
    assert text == (
        '{"state":{"start":true}}\n{"state":{"progress":0}}\n{"state":{"progress":100}}\n{"state":{"end":true}}\n'
    )


def test_json_goes_on_while_its_brackets_are_open(more: str) -> None:
    lines = b'Ping {\n  "ping":\n  "}{"\n}\nPing {"ping": "x"}\nset json pretty\nPing {"ping": "y"}'
    assert printed("shell", more, given=lines) == '{"pong":"}{"}\n{"pong":"x"}\n{\n  "pong": "y"\n}\n'


def test_an_empty_line_ends_what_is_open(more: str) -> None:
    done = run("shell", more, given=b'Ping {"ping\n\nPing ping=next\n')
    assert (done.returncode, done.stdout) == (5, b'{"pong":"next"}\n')
    assert b"are not JSON" in done.stderr


def test_the_service_tells_what_it_has(more: str) -> None:
    assert printed("shell", more, given=b"interfaces") == "org.varlink.service\norg.example.more\n"
    assert printed("shell", more, given=b"methods org.example.more\n") == (
        "org.example.more.Ping(ping: string) -> (pong: string)\n"
        "org.example.more.TestMore(n: int) -> (state: State)\n"
        "org.example.more.StopServing(reason: ?string) -> ()\n"
    )
    assert '"product":"More example"' in printed("shell", more, given=b"info\n")


def test_help_tells_of_commands_interfaces_and_methods(more: str) -> None:
    assert "more METHOD" in printed("shell", more, given=b"help")
    assert printed("shell", more, given=b"help use").startswith("use [INTERFACE]: ")
    assert "interface org.example.more" in printed("shell", more, given=b"help org.example.more")
    assert printed("shell", more, given=b"help TestMore") == (
        "# Reports its progress in n steps; call it with more\n"
        "method TestMore(n: int) -> (state: State)\n\n"
        "# Where a stream stands. Exactly one of the three is set in each reply.\n"
        "type State (start: ?bool, progress: ?int, end: ?bool)\n"
    )


def test_a_line_that_fails_is_told_and_the_next_is_done(more: str) -> None:
    failures = {
        "more TestMore n=0": "org.example.more.TestMoreError",
        "Pin ping=1": "has no method 'Pin'. Did you mean 'Ping'?",
        "nonsense": "no command 'nonsense'; 'help' lists them",
        "more": "more needs a method",
        "more info": "Methods begin in upper case",
        "use org.example.nope": "has no interface 'org.example.nope'",
        "timeout never": "timeout needs a number of seconds",
        "set colour": "json pretty",
        "info all": "info takes nothing",
        "help More": "has no method 'More'",
        "help org.example.more.Nope": "has no method Nope",
        "methods org.example.nope": "InterfaceNotFound",
        "Ping [1]": "no JSON object",
        "Ping 'x": "cannot be split",
        "Ping -": "cannot come from stdin",
        "org.example.nope.Ping": "InterfaceNotFound",
    }
    done = run("shell", more, given="".join(f"{line}\nPing ping=next\n" for line in failures).encode())
    assert done.stdout == len(failures) * b'{"pong":"next"}\n'
    told = done.stderr.decode().splitlines()
    assert len(told) == len(failures)
    for sentence, expected in zip(told, failures.values(), strict=True):
        assert expected in sentence


@pytest.mark.parametrize(("line", "status"), [("more TestMore n=0", 1), ("nonsense", 2), ("Ping [1]", 5)])
def test_the_status_is_that_of_the_last_line_that_failed(more: str, line: str, status: int) -> None:
    assert run("shell", more, given=f"nonsense\n{line}\nPing ping=x\n".encode()).returncode == status


def test_exit_leaves(more: str) -> None:
    assert printed("shell", more, given=b"use org.example.more\nexit\nPing ping=x\n") == ""


def test_where_nobody_listens_there_is_no_shell(tmp_path: Path) -> None:
    status, sentence = refused("shell", f"unix:{tmp_path}/nobody", given=b"info\n")
    assert status == 3
    assert "cannot be reached" in sentence
    assert refused("shell", given=b"info\n")[0] == 2


def test_stdin_that_is_no_text_is_told(more: str) -> None:
    done = run("shell", more, given=b"\xff\n")
    assert done.returncode == 5
    assert b"not UTF-8" in done.stderr


def test_a_service_that_comes_back_is_connected_to_again(tmp_path: Path) -> None:
    address = f"unix:{tmp_path}/more"
    with serving(address) as service:
        shell = subprocess.Popen(
            [*COMMAND, "shell", address],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        try:
            assert shell.stdin is not None
            assert shell.stdout is not None
            assert shell.stderr is not None
            shell.stdin.write(b"Ping ping=one\n")
            shell.stdin.flush()
            assert shell.stdout.readline() == b'{"pong":"one"}\n'
            service.kill()
            service.wait()
            shell.stdin.write(b"Ping ping=two\n")
            shell.stdin.flush()
            assert b"cannot be reached" in shell.stderr.readline()
            with serving(address):
                out, err = shell.communicate(b"Ping ping=three\n", PATIENCE)
        finally:
            shell.kill()
            shell.wait()
    assert (out, err) == (b'{"pong":"three"}\n', b"")
    assert shell.returncode == 3


# ---- on a terminal


def test_what_is_typed_is_completed(more: str, tmp_path: Path) -> None:
    with typing(more, tmp_path) as terminal:
        terminal.type("Pi\t")
        terminal.read_until("more.Ping(ping: string)")
        terminal.type("pi\t")
        terminal.read_until("ng=")
        terminal.type("hello\r")
        terminal.read_until('"pong": "hello"')
        # Where there is a choice, it is shown with what each does.
        terminal.type("more \t\t")
        terminal.read_until("Ends the service")


def test_ctrl_d_leaves(more: str, tmp_path: Path) -> None:
    with typing(more, tmp_path) as terminal:
        terminal.type("\x04")
        assert terminal.finish()[0] == 0


def test_the_method_is_shown_with_what_it_takes(more: str, tmp_path: Path) -> None:
    with typing(more, tmp_path) as terminal:
        terminal.type("Ping")
        terminal.read_until("more.Ping(ping: string) -> (pong: string)")


def test_open_brackets_take_more_lines(more: str, tmp_path: Path) -> None:
    with typing(more, tmp_path) as terminal:
        terminal.type('Ping {"ping":\r"two lines"}\r')
        terminal.read_until('"pong": "two lines"')


def test_an_error_is_shown_in_colour_and_the_shell_goes_on(more: str, tmp_path: Path) -> None:
    with typing(more, tmp_path, NO_COLOR="") as terminal:
        terminal.type("more TestMore n=0\r")
        terminal.read_until("\x1b[31morg.example.more.TestMoreError\x1b[0m")
        terminal.type("exit\r")
        assert terminal.finish()[0] == 0


def test_ctrl_c_ends_a_stream_and_not_the_shell(tmp_path: Path) -> None:
    address = f"unix:{tmp_path}/more"
    with serving(address, "--pause=1000"), typing(address, tmp_path) as terminal:
        terminal.type("more TestMore n=3\r")
        terminal.read_until('"progress": 0')
        terminal.type("\x03")
        terminal.type("Ping ping=after\r")
        terminal.read_until('"pong": "after"')
        terminal.type("exit\r")
        assert terminal.finish()[0] == 0


def test_a_new_connection_is_told(tmp_path: Path) -> None:
    address = f"unix:{tmp_path}/more"
    with serving(address) as service, typing(address, tmp_path) as terminal:
        service.kill()
        service.wait()
        with serving(address):
            terminal.type("Ping ping=new\r")
            terminal.read_until("The service closed the connection; there is a new one.")
            terminal.read_until('"pong": "new"')


def test_what_was_typed_is_kept_for_this_user_alone(more: str, tmp_path: Path) -> None:
    with typing(more, tmp_path) as terminal:
        terminal.type("Ping ping=kept\r")
        terminal.read_until('"pong": "kept"')
        terminal.type("exit\r")
        terminal.finish()
    history = tmp_path / "state" / "fastvarlink" / "history"
    assert "Ping ping=kept" in history.read_text()
    assert stat.S_IMODE(history.stat().st_mode) == 0o600
    assert stat.S_IMODE(history.parent.stat().st_mode) == 0o700
    with typing(more, tmp_path) as terminal:
        # The line before, again.
        terminal.type("\x1b[A\r")
        terminal.read_until('"pong": "kept"')


def test_without_prompt_toolkit_lines_are_read_all_the_same(more: str, tmp_path: Path) -> None:
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "sitecustomize.py").write_text(
        "import sys\n"
        "class Hide:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'prompt_toolkit':\n"
        "            raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Hide())\n"
    )
    path = os.pathsep.join([str(hidden), *sys.path])
    with typing(more, tmp_path, PYTHONPATH=path) as terminal:
        terminal.read_until("pip install 'fastvarlink[cli]'")
        terminal.type("Ping ping=plain\n")
        terminal.read_until('"pong": "plain"')
        terminal.type("\x04")
        assert terminal.finish()[0] == 0
