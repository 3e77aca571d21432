"""introspect beside systemd's varlinkctl, on the same service."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from peers import PATIENCE
from systemd import VarlinkCtl

from fastvarlink import idl

HERE = Path(__file__).parent
ECHO = "org.example.echo"


@pytest.fixture(scope="module")
def echo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a service."""
    address = f"unix:{tmp_path_factory.mktemp('echo')}/socket"
    words = [sys.executable, str(HERE / "echo_service.py"), address]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "Listening\n"
            yield address
        finally:
            process.kill()


def ours(*words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "fastvarlink", *words],
        capture_output=True,
        encoding="utf-8",
        timeout=PATIENCE,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.parametrize("option", ["-j", "--json=short"])
def test_json_is_that_of_varlinkctl(echo: str, varlinkctl: VarlinkCtl, option: str) -> None:
    theirs = varlinkctl("introspect", option, echo, ECHO).stdout
    assert ours("introspect", option, echo, ECHO) == theirs
    both = [option, echo, ECHO, "org.varlink.service"]
    assert ours("introspect", *both) == varlinkctl("introspect", *both).stdout
    # They sort the interfaces.
    of_all = varlinkctl("introspect", option, echo).stdout
    assert sorted(ours("introspect", option, echo).split("\x1e")) == sorted(of_all.split("\x1e"))
    pretty = varlinkctl("introspect", "--json=pretty", echo, ECHO).stdout
    assert json.loads(ours("introspect", "--json=pretty", echo, ECHO)) == json.loads(pretty)


def test_the_text_says_what_varlinkctl_prints(echo: str, varlinkctl: VarlinkCtl) -> None:
    theirs = idl.parse(varlinkctl("introspect", echo, ECHO).stdout)
    assert idl.parse(ours("introspect", echo, ECHO)) == theirs
    assert ours("introspect", echo).count("\ninterface ") == varlinkctl("introspect", echo).stdout.count(
        "\ninterface "
    )
