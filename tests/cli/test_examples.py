"""The examples that --help of each verb shows are run."""

from __future__ import annotations

import shlex
import shutil
from importlib import import_module
from pathlib import Path

import pytest

from fastvarlink.cli.verbs import VERBS

from .command import run
from .conftest import EXAMPLES

VERB_NAMES = [verb for group in VERBS.values() for verb in group]
SERVICE = "unix:/run/org.example.more"

# Those that another test runs, as they need more than a folder and the service: with the name of that test.
ELSEWHERE: dict[str, str] = {}


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


@pytest.mark.parametrize(("verb", "example"), examples())
def test_an_example_works(verb: str, example: str, more: str, tmp_path: Path) -> None:
    if example in ELSEWHERE:
        pytest.skip(f"{ELSEWHERE[example]} runs it.")
    for name in ("org.example.more.varlink", "more.py"):
        shutil.copy(EXAMPLES / name, tmp_path / name)
    before, _, command = example.partition("varlink ")
    program, *words = shlex.split("varlink " + command.replace(SERVICE, more))
    assert program == "varlink"
    piped = shlex.split(before)
    assert not piped or (piped[0], piped[2:]) == ("echo", ["|"]), "Only echo is known here."
    done = run(*words, given=f"{piped[1]}\n".encode() if piped else b"", cwd=tmp_path)
    assert done.returncode == 0, done.stderr.decode()
