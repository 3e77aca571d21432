"""Programs with several workers, on fresh sockets, ended when the test is over."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .supervised import PROGRAM, Program, Start


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where the sockets are."""
    path = tmp_path / "sockets"
    path.mkdir()
    return path


@pytest.fixture
def address(place: Path) -> str:
    return f"unix:{place}/socket"


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start the program: its addresses, then options of serve()."""
    programs: list[Program] = []

    def begin(
        *addresses: str,
        workers: int = 2,
        constants: dict[str, float] | None = None,
        code: Path | None = None,
        environment: dict[str, str] | None = None,
        ready: bool = True,
        **options: Any,
    ) -> Program:
        given = json.dumps([options | {"workers": workers}, constants or {}, str(code) if code else None])
        program = Program(
            tmp_path, [str(PROGRAM), given, *addresses], env={**os.environ, **(environment or {})}
        )
        programs.append(program)
        if ready:
            assert program.line() == "ready", program.log
        return program

    yield begin
    for program in programs:
        program.end()


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    path = tmp_path / "gate"
    os.mkfifo(path)
    return path
