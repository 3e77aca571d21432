"""The verbs that find services: resolve, list-registry, list-sockets."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import pytest

from fastvarlink.cli.entrypoints import have_attributes, listening_paths, may_connect

from .command import on_terminal, printed, refused, run


def test_resolve_by_a_resolver(resolver: str, more: str) -> None:
    assert printed("resolve", "-r", resolver, "org.example.more") == f"{more}\n"
    status, sentence = refused("resolve", "-r", resolver, "org.example.nope")
    assert status == 1
    assert "InterfaceNotFound" in sentence


def test_resolve_by_the_registry(registry: Path, resolver: str, more: str) -> None:
    environment = {"XDG_RUNTIME_DIR": str(registry)}
    assert run("resolve", "org.example.more", env=environment).stdout.decode() == f"{more}\n"
    # Neither what is no socket, nor what no resolver was asked for.
    for words in (
        ["org.example.file"],
        ["org.example.nowhere"],
        ["org.example.more", "-r", "unix:/no/such/socket"],
    ):
        done = run("resolve", *words, env=environment)
        assert (done.returncode, done.stdout) == (3, b"")
        assert done.stderr.startswith(b"The resolver unix:/")


def test_a_registered_interface_needs_no_address(registry: Path) -> None:
    done = run("call", "org.example.more.Ping", "ping=hello", env={"XDG_RUNTIME_DIR": str(registry)})
    assert (done.returncode, done.stdout) == (0, b'{"pong":"hello"}\n')


@pytest.mark.parametrize("name", ["nodot", "a/b.c", "../a.b", "unix:/run/org.example.more"])
def test_what_is_no_interface(name: str) -> None:
    status, sentence = refused("resolve", name)
    assert status == 2
    assert sentence == f"{name!r} is no interface; write its name, as in org.example.service.\n"


def test_list_registry(registry: Path, more: str) -> None:
    environment = {"XDG_RUNTIME_DIR": str(registry)}
    done = run("list-registry", "--user", env=environment)
    assert (done.returncode, done.stdout.decode()) == (0, f"org.example.more\t{more}\n")
    assert "org.example.nowhere' leads to no socket and is left out." in done.stderr.decode()
    assert run("list-registry", "--system", env=environment).stdout == run("list-registry").stdout
    done = run("list-registry", "--user", "--json=short", env=environment)
    assert json.loads(done.stdout) == [{"interface": "org.example.more", "entrypoint": more}]
    with on_terminal("list-registry", "--user", env=environment) as terminal:
        status, text = terminal.finish()
    lines = text.splitlines()[1:]
    assert status == 0
    assert lines == ["INTERFACE         ENTRYPOINT", f"org.example.more  {more}", "", "1 registered service."]


def test_a_registry_that_is_not_there(tmp_path: Path) -> None:
    done = run("list-registry", "--user", env={"XDG_RUNTIME_DIR": str(tmp_path)})
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    done = run("list-registry", "--user", env={"XDG_RUNTIME_DIR": ""})
    assert (done.returncode, done.stderr) == (
        2,
        b"The registry of this user is not known: $XDG_RUNTIME_DIR is not set.\n",
    )
    (tmp_path / "varlink").write_text("")
    done = run("list-registry", "--user", env={"XDG_RUNTIME_DIR": str(tmp_path)})
    assert (done.returncode, done.stdout) == (3, b"")
    assert b"cannot be read: Not a directory." in done.stderr


def test_list_sockets(more: str) -> None:
    done = run("list-sockets", "--json=short")
    if have_attributes():
        mine = {"path": more.removeprefix("unix:"), "access": "yes"}
        assert mine in json.loads(done.stdout)
    else:
        assert (done.returncode, done.stdout) == (1, b"")
        assert done.stderr.startswith(b"This kernel keeps no attributes of sockets")


def test_which_sockets_listen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Streams in the file system that listen, with absolute paths, whatever is in those."""
    monkeypatch.chdir(tmp_path)
    odd = f"{tmp_path}/ with  blanks\udcff "
    kinds = [(odd, socket.SOCK_STREAM, True), (f"{tmp_path}/idle", socket.SOCK_STREAM, False)]
    kinds += [("relative", socket.SOCK_STREAM, True), (f"{tmp_path}/packets", socket.SOCK_SEQPACKET, True)]
    made = []
    try:
        for path, kind, listens in kinds:
            made.append(socket.socket(socket.AF_UNIX, kind))
            made[-1].bind(os.fsencode(path))
            if listens:
                made[-1].listen()
        assert [path for path in listening_paths() if path.startswith(str(tmp_path))] == [odd]
        assert may_connect(odd)
    finally:
        for each in made:
            each.close()
