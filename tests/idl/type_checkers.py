"""Runs type checkers, and the formatter, over modules in a folder."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import fastvarlink

SOURCES = Path(fastvarlink.__file__).resolve().parent.parent
PATIENCE = 300.0


class Complaint(NamedTuple):
    """What a checker does not like."""

    file: str
    line: int
    message: str


def _command(name: str) -> str:
    """A program of the environment that runs the tests."""
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.exists() else shutil.which(name)
    assert found is not None, f"{name} is missing: install what the extra 'test' of pyproject.toml names."
    return found


def _run(folder: Path, command: list[str]) -> subprocess.CompletedProcess[str]:
    # A package that is not installed is not found by itself.
    is_installed = SOURCES.name == "site-packages"
    environment = {**os.environ, "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}
    environment.pop("MYPYPATH", None)
    if not is_installed:
        environment["MYPYPATH"] = str(SOURCES)
    return subprocess.run(
        command,
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        env=environment,
        timeout=PATIENCE,
        check=False,
    )


def mypy(folder: Path) -> list[Complaint]:
    """What mypy --strict says of the modules."""
    command = [_command("mypy"), "--strict", "--config-file=", "--no-error-summary", "--hide-error-context"]
    # The cache is left to the checks of other folders.
    command += [f"--cache-dir={folder.parent / 'mypy_cache'}", f"--python-executable={sys.executable}"]
    done = _run(folder, [*command, *sorted(path.name for path in folder.glob("*.py"))])
    assert done.returncode in {0, 1}, done.stdout + done.stderr
    found = re.findall(r"^([^:\n]+):(\d+): error: (.*)$", done.stdout, re.MULTILINE)
    assert bool(found) == bool(done.returncode), done.stdout + done.stderr
    return [Complaint(file, int(line), message) for file, line, message in found]


def pyright(folder: Path) -> list[Complaint]:
    """What pyright says of the modules, in its strict mode."""
    settings = {
        "typeCheckingMode": "strict",
        "pythonVersion": f"{sys.version_info[0]}.{sys.version_info[1]}",
        "extraPaths": [str(SOURCES)],
        # They do nothing but be checked.
        "reportUnusedExpression": False,
        "reportUnusedCoroutine": False,
    }
    (folder / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    done = _run(folder, [_command("pyright"), "--outputjson", f"--pythonpath={sys.executable}"])
    assert done.returncode in {0, 1}, done.stdout + done.stderr
    return [
        Complaint(Path(each["file"]).name, each["range"]["start"]["line"] + 1, each["message"])
        for each in json.loads(done.stdout)["generalDiagnostics"]
        if each["severity"] == "error"
    ]


def ruff(folder: Path) -> str:
    """What ruff's formatter would change in the modules, and what its linter finds, by its own defaults."""
    formatted = _run(folder, [_command("ruff"), "format", "--isolated", "--no-cache", "--diff", "."])
    checks = ["--isolated", "--no-cache", "--quiet", "--extend-select=I", "--ignore=E501"]
    checked = _run(folder, [_command("ruff"), "check", *checks, "."])
    assert {formatted.returncode, checked.returncode} <= {0, 1}, formatted.stderr + checked.stderr
    return formatted.stdout + checked.stdout
