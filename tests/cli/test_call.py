"""The verb call: how the method and its parameters are written, and what of the replies is printed where."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import fastvarlink
from wire.rawstream import PATIENCE

from .command import COMMAND, on_terminal, printed, refused, run, shown
from .threaded import serving

FILES = """interface org.example.files
method Swap() -> (size: int)
method Open(text: string) -> (names: []string)
method Raw() -> (ready: bool)
method Large() -> (whole: int, exact: float)
"""


class Files:
    """Answers org.example.files."""

    def Swap(self, _descriptors: fastvarlink.Descriptors) -> dict[str, int]:
        """The size of the file that was sent."""
        with open(_descriptors.take(0), "rb") as file:
            return {"size": len(file.read())}

    def Open(self, text: str, _descriptors: fastvarlink.Descriptors) -> dict[str, list[str]]:
        """Two files with that text, the second time twice."""
        for count in (1, 2):
            fd = os.memfd_create("text")
            os.write(fd, text.encode() * count)
            os.lseek(fd, 0, os.SEEK_SET)
            _descriptors.give(fd)
        return {"names": ["one", "two"]}

    def Raw(self, _upgrade: bool = False, _context: fastvarlink.Context | None = None) -> dict[str, bool]:
        """From then on, all that comes goes back in capitals."""

        def shout(connection: object) -> None:
            with connection.makefile("rwb", buffering=0) as file:  # type: ignore[attr-defined]
                while data := file.read(100):
                    file.write(data.upper())

        if not _upgrade or _context is None:
            raise fastvarlink.error.ExpectedUpgrade()
        _context.take_over(shout)
        return {"ready": True}

    def Large(self) -> dict[str, float]:
        return {"whole": 9007199254740993, "exact": 0.1}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a service that sends and takes file descriptors."""
    service = fastvarlink.Service()
    service.interface(FILES, descriptors=True)(Files)
    address = f"unix:{tmp_path_factory.mktemp('files')}/socket"
    with serving(service, address):
        yield address


@pytest.mark.parametrize(
    "words",
    [
        ["{more}/org.example.more.Ping", '{"ping": "hello"}'],
        ["{more}", "org.example.more.Ping", '{"ping": "hello"}'],
        ["{path}", "org.example.more.Ping", "ping=hello"],
        ["{path}/org.example.more.Ping", "ping=hello"],
        ["{more}/org.example.more.Ping", "@parameters.json"],
        ["--json=short", "{more}", "--timeout=60", "org.example.more.Ping", "-q", "ping=hello", "--lines"],
    ],
)
def test_the_ways_to_write_a_call(words: list[str], more: str, tmp_path: Path) -> None:
    (tmp_path / "parameters.json").write_text('{"ping": "hello"}')
    words = [
        word.format(more=more, path=more.removeprefix("unix:")) if "{m" in word or "{p" in word else word
        for word in words
    ]
    text = printed("call", *words, cwd=tmp_path)
    assert text == ("" if "-q" in words else '{"pong":"hello"}\n')


def test_a_path_that_looks_like_a_method_is_an_address(tmp_path: Path) -> None:
    path = tmp_path / "org.example.Files"
    service = fastvarlink.Service()
    service.interface(FILES)(Files)
    with serving(service, f"unix:{path}"):
        assert json.loads(printed("call", str(path), "org.example.files.Large"))["exact"] == 0.1


def test_options_may_stand_before_the_verb(more: str) -> None:
    given = ["--json", "pretty", "-q", "call", f"{more}/org.example.more.Ping", '{"ping": "x"}']
    assert printed(*given) == ""


def test_parameters_from_stdin(more: str) -> None:
    reply = printed("call", f"{more}/org.example.more.Ping", "-", given=b'{"ping":\n"hello"}\n')
    assert reply == '{"pong":"hello"}\n'


def test_more_is_a_json_sequence(more: str) -> None:
    text = printed("call", "--more", f"{more}/org.example.more.TestMore", '{"n": 1}')
    states = ('{"start":true}', '{"progress":0}', '{"progress":100}', '{"end":true}')
    assert text == "".join(f'\x1e{{"state":{state}}}\n' for state in states)
    endless = printed("call", "-E", "--lines", f"{more}/org.example.more.TestMore", '{"n": 1}')
    assert endless == text.replace("\x1e", "")


def test_collect_makes_one_array(more: str) -> None:
    text = printed("call", "--collect", f"{more}/org.example.more.TestMore", "n=1")
    assert [*json.loads(text)[0]] == ["state"]
    assert text.count("\n") == 1


def test_replies_are_printed_as_they_arrive(tmp_path: Path) -> None:
    """The second reply is not made before the first has been seen."""
    seen = tmp_path / "seen"
    os.mkfifo(seen)
    service = fastvarlink.Service()

    @service.interface("interface org.example.slow\nmethod Count() -> (i: int)")
    class Slow:
        def Count(self) -> Iterator[dict[str, object]]:
            yield {"i": 1, "_continues": True}
            with open(seen):
                pass
            yield {"i": 2, "_continues": False}

    with serving(service, f"unix:{tmp_path}/socket") as address:
        command = [*COMMAND, "call", "--more", "--lines", f"{address}/org.example.slow.Count"]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b'{"i":1}\n'
            with open(seen, "w"):
                pass
            assert process.stdout.readline() == b'{"i":2}\n'
            assert process.wait(PATIENCE) == 0


def test_oneway_prints_nothing(more: str) -> None:
    assert printed("call", "--oneway", f"{more}/org.example.more.Ping", "ping=x") == ""


def test_numbers_are_what_the_service_wrote(files: str) -> None:
    assert printed("call", f"{files}/org.example.files.Large") == '{"whole":9007199254740993,"exact":0.1}\n'


@pytest.mark.parametrize("style", ["pretty", "off", "short"])
def test_the_form_can_be_chosen(style: str, more: str) -> None:
    text = printed("call", f"--json={style}", f"{more}/org.example.more.Ping", "ping=ä")
    assert text == ('{\n  "pong": "ä"\n}\n' if style == "pretty" else '{"pong":"ä"}\n')


def test_a_terminal_gets_indentation_and_colours(more: str) -> None:
    words = ("call", f"{more}/org.example.more.Ping", "ping=a\x9bb")
    assert shown(*words).replace("\r", "") == '{\n  \x1b[34m"pong"\x1b[0m: \x1b[32m"a\\u009bb"\x1b[0m\n}\n'
    assert shown(*words, env={"NO_COLOR": "1"}).replace("\r", "") == '{\n  "pong": "a\\u009bb"\n}\n'
    assert "\x1e" not in shown("call", "--more", f"{more}/org.example.more.TestMore", "n=1")


@pytest.mark.parametrize("parameters", [r'{"ping": "\ud800"}', '{"ping": ' + "[" * 5000 + "]" * 5000 + "}"])
def test_what_json_parsers_do_not_agree_on_is_not_sent(parameters: str, more: str) -> None:
    status, sentence = refused("call", f"{more}/org.example.more.Ping", parameters)
    assert (status, sentence.count("\n")) == (5, 1)


def test_an_error_is_told_on_stderr(more: str) -> None:
    status, sentence = refused("call", f"{more}/org.example.more.Nope")
    assert status == 1
    assert sentence == (
        f'{more} answered org.varlink.service.MethodNotFound {{"method": "org.example.more.Nope"}}. '
        f"'varlink list-methods {more}' lists those that it has.\n"
    )


def test_an_error_after_replies_leaves_those_printed(tmp_path: Path) -> None:
    service = fastvarlink.Service()

    @service.interface("interface org.example.fail\nmethod Count() -> (i: int)\nerror Broken()")
    class Failing:
        def Count(self) -> Iterator[dict[str, object]]:
            yield {"i": 1, "_continues": True}
            raise fastvarlink.VarlinkError({"error": "org.example.fail.Broken", "parameters": {}})

    with serving(service, f"unix:{tmp_path}/socket") as address:
        for option, expected in (("--more", b'\x1e{"i":1}\n'), ("--collect", b'[{"i":1}]\n')):
            done = run("call", option, f"{address}/org.example.fail.Count")
            assert (done.returncode, done.stdout) == (1, expected)
            assert b"org.example.fail.Broken" in done.stderr
        graceful = "--graceful=org.example.fail.Broken"
        assert printed("call", "--collect", graceful, f"{address}/org.example.fail.Count") == '[{"i":1},{}]\n'


def test_a_graceful_error_is_a_success(more: str) -> None:
    graceful = ["--graceful", "a.b.C", "--graceful", "org.varlink.service.MethodNotFound"]
    assert (
        printed("call", *graceful, f"{more}/org.example.more.Nope") == '{"method":"org.example.more.Nope"}\n'
    )


def test_descriptors_are_sent(files: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("twelve bytes")
    method = f"{files}/org.example.files.Swap"
    assert printed("call", "--push-fd", str(path), method) == '{"size":12}\n'
    with path.open("rb") as file:
        os.set_inheritable(file.fileno(), True)
        done = subprocess.run(
            [*COMMAND, "call", f"--push-fd={file.fileno()}", method],
            capture_output=True,
            check=True,
            pass_fds=[file.fileno()],
            timeout=PATIENCE,
        )
    assert done.stdout == b'{"size":12}\n'


def test_a_service_that_takes_no_descriptors(more: str) -> None:
    status, sentence = refused("call", "--push-fd=0", f"{more}/org.example.more.Ping", "ping=x")
    if status == 3:
        assert "takes no file descriptors" in sentence
    else:
        # Older kernels do not tell the sender.
        assert status == 1


@pytest.mark.parametrize("what", ["99999999", "/no/such/file", "777"])
def test_a_descriptor_that_is_none(what: str, more: str) -> None:
    status, sentence = refused("call", f"--push-fd={what}", f"{more}/org.example.more.Ping", "ping=x")
    assert (status, what in sentence) == (5, True)


def test_exec_passes_the_reply_and_its_descriptors(files: str) -> None:
    script = 'cat; cat <&3 <&4; echo; cat <&3; echo; echo "$LISTEN_FDS $((LISTEN_PID == $$))"'
    words = ["call", "--exec", f"{files}/org.example.files.Open", "text=ab", "--", "sh", "-c", script]
    assert printed(*words) == '{"names": ["one", "two"]}\nabab\nab\n2 1\n'


def test_upgrade_passes_stdin_and_stdout_on(files: str) -> None:
    assert printed("call", "--upgrade", f"{files}/org.example.files.Raw", given=b"shout\n") == "SHOUT\n"


def test_upgrade_can_be_left_to_a_command(files: str) -> None:
    script = "echo shout; read answer; echo $answer >&2"
    done = run("call", "--upgrade", "--exec", f"{files}/org.example.files.Raw", "--", "sh", "-c", script)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"SHOUT\n")


def test_an_upgrade_that_is_refused(more: str, files: str) -> None:
    assert refused("call", "--upgrade", f"{more}/org.example.more.Nope")[0] == 1
    status, sentence = refused("call", f"{files}/org.example.files.Raw")
    assert (status, sentence.endswith("ExpectedUpgrade. Call it with --upgrade.\n")) == (1, True)


def test_ctrl_c_ends_a_stream_without_a_traceback(tmp_path: Path) -> None:
    service = fastvarlink.Service()

    @service.interface("interface org.example.endless\nmethod Wait() -> (i: int)")
    class Endless:
        def Wait(self) -> Iterator[dict[str, object]]:
            yield {"i": 1, "_continues": True}
            while True:
                yield {"i": 2, "_continues": True}

    with (
        serving(service, f"unix:{tmp_path}/socket") as address,
        on_terminal("call", "-E", f"{address}/org.example.endless.Wait") as terminal,
    ):
        terminal.read_until("1")
        terminal.type("\x03")
        status, text = terminal.finish()
    assert status == 130
    assert "Error" not in text


def test_a_reader_that_leaves_ends_the_command_quietly(more: str) -> None:
    words = ["call", "-m", f"{more}/org.example.more.TestMore", '{"n": 1000}']
    with subprocess.Popen([*COMMAND, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(PATIENCE) == 141
