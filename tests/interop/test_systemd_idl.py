"""The interface descriptions of a real systemd: read here, printed here, and read there.

See systemd.py for where it comes from.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from peers import PATIENCE, ROOT

from fastvarlink import idl

# Booting systemd and asking every service takes ten seconds on a machine that does nothing else.
INTROSPECTION = 5 * PATIENCE


@pytest.fixture(scope="session")
def descriptions(systemd_tree: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """By the name of the interface, the text that was served."""
    out = tmp_path_factory.mktemp("systemd")
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "systemd_introspect.py"), str(systemd_tree), str(out)],
        capture_output=True,
        text=True,
        timeout=INTROSPECTION,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return {path.stem: path.read_bytes().decode() for path in sorted(out.glob("*.varlink"))}


def refusal(tree: Path, text: str) -> str:
    """What systemd has against a definition: nothing, when it is valid."""
    done = subprocess.run(
        ["chroot", str(tree), "varlinkctl", "validate-idl"],
        input=text.encode(),
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    return done.stderr.decode() or "refused without a word" if done.returncode else ""


def test_validation_tells_right_from_wrong(systemd_tree: Path) -> None:
    assert refusal(systemd_tree, "interface org.example.a\nmethod M() -> ()\n") == ""
    assert refusal(systemd_tree, "interface org.example.a\nmethod M() ->\n") != ""


def test_every_description_is_read(descriptions: dict[str, str]) -> None:
    for name, text in descriptions.items():
        assert idl.parse(text).name == name


def test_printed_descriptions_are_the_same_interfaces(descriptions: dict[str, str]) -> None:
    for name, text in descriptions.items():
        tree = idl.parse(text)
        assert idl.parse(idl.to_text(tree)) == tree, name


def test_systemd_accepts_printed_descriptions(systemd_tree: Path, descriptions: dict[str, str]) -> None:
    printed = {name: idl.to_text(idl.parse(text)) for name, text in descriptions.items()}
    assert {name: refusal(systemd_tree, text) for name, text in printed.items()} == dict.fromkeys(printed, "")
