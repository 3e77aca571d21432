"""The examples that --help of each verb shows are run."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

import pytest

from fastvarlink.cli.dispatch import parser_of, verb_module
from fastvarlink.cli.verbs import VERBS, mock, monitor, replay, serve

from .command import on_terminal, run
from .conftest import EXAMPLES

VERB_NAMES = [verb for group in VERBS.values() for verb in group]
SERVICE = "unix:/run/org.example.more"

# Those that another test runs, as they need more than a folder and the service: with the name of that test.
ELSEWHERE = {
    "varlink resolve org.example.more": "test_finding.py",
    "varlink resolve -r unix:/run/resolver org.example.more": "test_finding.py",
    "varlink list-sockets": "test_finding.py",
    "varlink list-sockets --json=short": "test_finding.py",
    **dict.fromkeys((*monitor.EXAMPLES, *replay.EXAMPLES), "test_replay.test_the_examples_work"),
    **dict.fromkeys(serve.EXAMPLES, "test_serve.py"),
    **dict.fromkeys(mock.EXAMPLES, "test_mock.py"),
}


def examples() -> list[tuple[str, str]]:
    return [(verb, example) for verb in VERB_NAMES for example in verb_module(verb).EXAMPLES]


@pytest.mark.parametrize("verb", VERB_NAMES)
def test_help_of_each_verb_shows_its_examples(verb: str) -> None:
    mine = [example for of, example in examples() if of == verb]
    assert mine
    if verb == "exec":
        return
    done = run(verb, "--help")
    assert done.returncode == 0
    for example in mine:
        assert example in done.stdout.decode()


def words_of(example: str, address: str) -> tuple[list[str], str]:
    """The words behind varlink, and what is piped into it."""
    words = shlex.split(example.replace(SERVICE, address))
    given = ""
    if words[0] == "echo":
        _, given, bar, *words = words
        assert bar == "|"
    assert words[0] == "varlink"
    return words[1:], given


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with all that examples name."""
    for path in EXAMPLES.iterdir():
        if path.is_file():
            shutil.copy(path, tmp_path / path.name)
    return tmp_path


@pytest.mark.parametrize("example", [example for _, example in examples() if example not in ELSEWHERE])
def test_an_example_works_on_a_pipe(example: str, more: str, folder: Path) -> None:
    words, given = words_of(example, more)
    done = run(*words, given=given.encode(), cwd=folder)
    assert done.returncode == 0, done.stderr.decode()


@pytest.mark.parametrize("verb", sorted({verb for verb, example in examples() if example not in ELSEWHERE}))
def test_an_example_works_on_a_terminal(verb: str, more: str, folder: Path) -> None:
    """The first of each verb that is not fed by another command."""
    words, given = next(
        words_of(example, more)
        for of, example in examples()
        if of == verb and example not in ELSEWHERE and (not example.startswith("echo") or verb == "bridge")
    )
    with on_terminal(*words, cwd=folder) as terminal:
        if verb == "shell":
            terminal.read_until("varlink>")
        if given or verb == "shell":
            terminal.type("\x04")
        status, text = terminal.finish()
    assert status == 0, text


def flags() -> list[tuple[str, str]]:
    """Each verb with each of its options, by the longest of its names."""
    return [
        (verb, max(action.option_strings, key=len))
        for verb in VERB_NAMES
        if verb != "exec"
        for action in parser_of(verb, verb_module(verb))._actions
        if action.option_strings and action.option_strings[0] != "-h"
    ]


@pytest.mark.parametrize(("verb", "flag"), flags())
def test_each_flag_is_used_by_a_test(verb: str, flag: str) -> None:
    """Somewhere beside this file; the flags that verbs share are tested with one of them."""
    folders = (Path(__file__).parent, Path(__file__).parent.parent / "interop")
    texts = [path.read_text("utf-8") for folder in folders for path in folder.glob("test_*.py")]
    action = next(a for a in parser_of(verb, verb_module(verb))._actions if flag in a.option_strings)
    names = [f'"{name}' for name in action.option_strings] + [f" {name}" for name in action.option_strings]
    assert any(name in text for name in names for text in texts)
