"""Type checkers understand generated modules: they pass right uses and refuse wrong ones."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from generated import VARIANTS
from type_checkers import Complaint, mypy, pyright, ruff
from write_golden import DEFINITION, GOLDEN

from fastvarlink.idl import generate

PROGRAMS = Path(__file__).resolve().parent / "programs"
CHECKERS = {"mypy": mypy, "pyright": pyright}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the golden modules, the programs that use them, and the other variants."""
    folder = tmp_path_factory.mktemp("modules")
    for path in (*GOLDEN.glob("*.py"), *PROGRAMS.glob("*.py")):
        shutil.copy(path, folder)
    for number, options in enumerate(VARIANTS):
        (folder / f"variant_{number}.py").write_text(generate(DEFINITION.read_bytes(), **options), "utf-8")
    return folder


@pytest.fixture(scope="module", params=CHECKERS)
def complaints(request: pytest.FixtureRequest, folder: Path) -> list[Complaint]:
    check: Callable[[Path], list[Complaint]] = CHECKERS[request.param]
    return check(folder)


def test_modules_and_right_uses_pass(complaints: list[Complaint]) -> None:
    assert [each for each in complaints if each.file != "wrong.py"] == []


def test_wrong_uses_are_refused(complaints: list[Complaint]) -> None:
    lines = (PROGRAMS / "wrong.py").read_text("utf-8").splitlines()
    wrong = {number for number, line in enumerate(lines, 1) if "# wrong" in line}
    found: dict[int, list[str]] = {}
    for each in complaints:
        if each.file == "wrong.py":
            found.setdefault(each.line, []).append(each.message)
    assert [lines[number - 1] for number in sorted(wrong - found.keys())] == []
    assert {lines[number - 1]: found[number] for number in sorted(found.keys() - wrong)} == {}


def test_modules_are_formatted(folder: Path) -> None:
    for path in PROGRAMS.glob("*.py"):
        (folder / path.name).unlink()
    assert ruff(folder) == ""
