"""The verb mock: example data from a definition, on sockets, for any client."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from .command import printed, refused, run
from .conftest import EXAMPLES
from .serving import serving

MORE = "org.example.more"
TASK = '{"task":{"id":1,"title":"title","state":"open","labels":["labels"],"after":[1]}}'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for path in EXAMPLES.glob("org.example.*.varlink"):
        shutil.copy(path, tmp_path)
    return tmp_path


def test_methods_answer_with_example_data(folder: Path) -> None:
    files = [f"{MORE}.varlink", "org.example.tasks.varlink"]
    with serving("mock", *files, "--address", f"unix:{folder}/s", cwd=folder) as program:
        (address,) = program.addresses
        assert address == f"unix:{folder}/s"
        assert printed("call", f"{address}/{MORE}.Ping", "ping=x") == '{"pong":"pong"}\n'
        assert printed("call", f"{address}/org.example.tasks.Add", "title=x") == f"{TASK}\n"
        status, sentence = refused("call", f"{address}/{MORE}.Ping", "{}")
        assert (status, "InvalidParameter" in sentence) == (1, True)
        assert program.end() == 0
    assert not (folder / "s").exists()


def test_more_brings_several_replies_over_tcp(folder: Path) -> None:
    words = ["mock", "-", "--replies=2", "--address=tcp:127.0.0.1:0"]
    with (
        open(folder / f"{MORE}.varlink") as text,
        serving(*words, cwd=folder, stdin=text.fileno()) as program,
    ):
        (address,) = program.addresses
        assert not address.endswith(":0")
        state = '{"state":{"start":true,"progress":1,"end":true}}\n'
        assert printed("call", "--more", "--lines", f"{address}/{MORE}.TestMore", "n=1") == state * 2
        assert printed("call", f"{address}/{MORE}.TestMore", "n=1") == state


def test_replies_and_errors_can_be_said(folder: Path) -> None:
    (folder / "replies.json").write_text('[{"state": {"progress": 10}}, {"state": {"end": true}}]')
    words = ["--reply", 'Ping={"pong":"canned"}', "--reply", f"{MORE}.TestMore=@replies.json"]
    words += ["--error", "StopServing=TestMoreError", "--delay", "0.01", "-v"]
    with serving("mock", f"{MORE}.varlink", *words, f"--address=unix:{folder}/s", cwd=folder) as program:
        (address,) = program.addresses
        assert printed("call", f"{address}/{MORE}.Ping", "ping=x") == '{"pong":"canned"}\n'
        more = printed("call", "--more", "--lines", f"{address}/{MORE}.TestMore", "n=1")
        assert more == '{"state":{"progress":10}}\n{"state":{"end":true}}\n'
        failed = run("call", f"{address}/{MORE}.StopServing", "{}")
        assert b'org.example.more.TestMoreError {"reason": "reason"}' in failed.stderr
        program.wait_for(f"{MORE}.StopServing uid=")
        program.wait_for(f"replies=0 {MORE}.TestMoreError")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--reply", "Ping=3"], "does not fit its declaration: the result must be an object"),
        (["--reply", "Ping={}"], "does not fit its declaration: pong is missing."),
        (["--reply", 'Ping={"pong":"","x":1}'], "has 'x', which is not declared."),
        (["--reply", "Ping=[]"], "is an empty array"),
        (["--reply", "Ping=@none.json"], "in 'none.json' cannot be read: No such file or directory."),
        (["--reply", "Pong={}"], f"There is no method 'Pong'; there are {MORE}.Ping"),
        (
            ["--error", "Ping=None"],
            f"There is no error 'None' for {MORE}.Ping; there are {MORE}.TestMoreError.",
        ),
        ([f"{MORE}.varlink"], "cannot be twice"),
        (["none.varlink"], "There is no file 'none.varlink'"),
        ([], "There is nothing to listen at"),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused_in_a_sentence(words: list[str], sentence: str, folder: Path) -> None:
    status, said = refused("mock", f"{MORE}.varlink", *words, cwd=folder)
    assert status in (2, 5)
    assert sentence in said
