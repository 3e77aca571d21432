"""Imports go one way: a room may import those below it, never those above."""

import ast
from pathlib import Path

import pytest

import fastvarlink

ROOT = Path(fastvarlink.__file__).parent

# From the bottom up. Rooms of one row do not know each other.
ROWS = [
    {"busypoll", "deferred", "interceptor", "limits", "marks", "unixpath"},
    {"error"},
    {"peer"},
    {"address"},
    {"_core"},
    {"idl"},
    {"scanner"},
    {"service"},
    {"client", "server"},
    {"aio"},
    {"dropin"},
    {"__init__"},
    {"cli", "mock"},
    {"__main__"},
]
LEVEL = {room: level for level, rooms in enumerate(ROWS) for room in rooms}
MODULES = sorted(path for path in ROOT.rglob("*.py") if "__pycache__" not in path.parts)


def room_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imported_rooms(path: Path) -> set[str]:
    """The rooms of this package that a module imports when it is imported itself."""
    rooms = set()
    for node in ast.parse(path.read_text("utf-8")).body:
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            assert node.module is not None
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            package, *rest = name.split(".")
            if package == "fastvarlink":
                rooms.add(rest[0] if rest and rest[0] in LEVEL else "__init__")
    return rooms


def test_every_module_has_a_row() -> None:
    assert {room_of(path) for path in MODULES} == set(LEVEL)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_down(path: Path) -> None:
    own = room_of(path)
    for room in imported_rooms(path) - {own}:
        assert LEVEL[room] < LEVEL[own], f"{own} must not import {room}"
