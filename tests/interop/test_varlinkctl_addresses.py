"""The same address means the same to systemd's varlinkctl and to ours."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from peers import PATIENCE
from systemd import VarlinkCtl

import fastvarlink
from client.programs import answering, stand_in_ssh

MORE = "org.example.more"
FORMS = [
    "exec:{folder}/answering",
    "{folder}/answering",
    "answering:anything",
    "ssh-exec:somewhere:{folder}/answering",
    "ssh-unix:somewhere:{socket}",
    "ssh:somewhere:{socket}",
    "{socket}",
]


def ours(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "fastvarlink", *words]
    return subprocess.run(command, capture_output=True, encoding="utf-8", timeout=PATIENCE, check=False)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The path of a socket at which org.example.more is served."""
    program = answering(tmp_path_factory.mktemp("activated"))
    with fastvarlink.Client.new_with_activate([str(program)]) as client:
        yield str(client).removeprefix("unix:")


@pytest.mark.rule("S1")
@pytest.mark.parametrize("form", FORMS)
def test_both_understand_an_address(
    varlinkctl: VarlinkCtl, service: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    answering(tmp_path)
    monkeypatch.setenv("SYSTEMD_SSH", str(stand_in_ssh(tmp_path)))
    monkeypatch.setenv("SYSTEMD_VARLINK_BRIDGES_DIR", str(tmp_path))
    words = [
        "call",
        "--json=short",
        form.format(folder=tmp_path, socket=service),
        f"{MORE}.Ping",
        '{"ping":"both"}',
    ]
    done = varlinkctl(*words)
    if "Protocol not supported" in done.stderr:
        pytest.skip("This varlinkctl does not know such addresses yet.")
    assert (done.returncode, done.stdout) == (0, '{"pong":"both"}\n')
    said = ours(*words)
    assert (said.returncode, said.stdout, said.stderr) == (0, done.stdout, "")
    calls = tmp_path / "ssh.calls"
    if calls.exists():
        first, second = calls.read_text().splitlines()
        assert first == second


def test_both_list_the_same_registry(
    varlinkctl: VarlinkCtl, service: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "list-registry" not in varlinkctl("--help").stdout:
        pytest.skip("This varlinkctl knows no registry yet.")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    folder = tmp_path / "varlink" / "registry"
    folder.mkdir(parents=True)
    (folder / MORE).symlink_to(service)
    (folder / "org.example.alias").symlink_to(folder / MORE)
    (folder / "org.example.file").write_text("")
    words = ["list-registry", "--user", "--json=short"]
    theirs = varlinkctl(*words)
    assert theirs.returncode == 0
    assert ours(*words).stdout == theirs.stdout
    assert len(json.loads(theirs.stdout)) == 2


def test_both_list_the_same_sockets(varlinkctl: VarlinkCtl) -> None:
    """Or neither can."""
    if "list-sockets" not in varlinkctl("--help").stdout:
        pytest.skip("This varlinkctl lists no sockets yet.")
    words = ["list-sockets", "--json=short"]
    theirs, own = varlinkctl(*words), ours(*words)
    assert own.returncode == theirs.returncode
    if own.returncode == 0:
        # Others come and go on the same machine.
        mine = [each for each in json.loads(own.stdout) if os.path.exists(each["path"])]
        assert all(each in json.loads(theirs.stdout) for each in mine)
    else:
        assert "does not support extended attributes" in theirs.stderr
        assert "keeps no attributes of sockets" in own.stderr
