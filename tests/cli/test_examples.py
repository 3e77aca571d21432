"""The examples that --help of each verb shows are run."""

from __future__ import annotations

import shlex
import shutil
from importlib import import_module
from pathlib import Path

import pytest

from fastvarlink.cli.verbs import VERBS, mock, monitor, replay, serve

from .command import run
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
    return [
        (verb, example)
        for verb in VERB_NAMES
        for example in import_module(f"fastvarlink.cli.verbs.{verb.replace('-', '_')}").EXAMPLES
    ]


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


@pytest.mark.parametrize("example", [example for _, example in examples() if example not in ELSEWHERE])
def test_an_example_works(example: str, more: str, tmp_path: Path) -> None:
    for path in EXAMPLES.iterdir():
        if path.is_file():
            shutil.copy(path, tmp_path / path.name)
    words = shlex.split(example.replace(SERVICE, more))
    given = ""
    if words[0] == "echo":
        _, given, bar, *words = words
        assert bar == "|"
    assert words[0] == "varlink"
    done = run(*words[1:], given=given.encode(), cwd=tmp_path)
    assert done.returncode == 0, done.stderr.decode()
