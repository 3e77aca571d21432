"""--reload: a service changes with its files, and nobody who calls it notices more than that."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from server.callers import Callers

from .command import on_terminal, refused
from .serving import Program, serving

CALL = b'{"method":"org.example.app.Get"}\0'
APP = """
import fastvarlink, values
service = fastvarlink.Service()
@service.interface("org.example.app")
class App:
    def Get(self): return {"value": values.VALUE}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(APP)
    (tmp_path / "values.py").write_text("VALUE = 1")
    (tmp_path / "org.example.app.varlink").write_text(
        "interface org.example.app\nmethod Get() -> (value: int)"
    )
    return tmp_path


@pytest.fixture
def program(folder: Path) -> Iterator[Program]:
    with serving("serve", "--reload", "app:service", f"--address=unix:{folder}/s", cwd=folder) as program:
        yield program


def calling(program: Program) -> Callers:
    return Callers(program.addresses[0], CALL)


def answer(value: int) -> dict[str, object]:
    return {"value": value}


def test_a_changed_module_is_served_and_nobody_is_refused(folder: Path, program: Program) -> None:
    with calling(program) as callers:
        callers.wait_for(10, answer(1))
        (folder / "values.py").write_text("VALUE = 2")
        callers.wait_for(10, answer(2))
        (folder / "values.py").write_text("VALUE = 3")
        callers.wait_for(10, answer(3))
        assert not callers.refused
        assert not callers.lost
    assert program.end() == 0
    assert not (folder / "s").exists()


def test_a_module_that_does_not_import_is_told_and_the_next_change_waited_for(
    folder: Path, program: Program
) -> None:
    with calling(program) as callers:
        (folder / "values.py").write_text("VALUE = (")
        program.wait_for("values.py, line 1: SyntaxError: '(' was never closed.\n")
        callers.wait_for(10, answer(1))
        (folder / "values.py").write_text("import missing_here\nVALUE = 2")
        program.wait_for("values.py, line 1: ModuleNotFoundError: No module named 'missing_here'.\n")
        callers.wait_for(10, answer(1))
        (folder / "missing_here.py").write_text("")
        callers.wait_for(10, answer(2))
        assert not callers.refused


def test_a_changed_definition_is_served(folder: Path, program: Program) -> None:
    with calling(program) as callers:
        callers.wait_for(1, answer(1))
        path = folder / "org.example.app.varlink"
        path.write_text(path.read_text().replace("value: int", "number: int"))
        (folder / "app.py").write_text(APP.replace('"value"', '"number"'))
        callers.wait_for(10, {"number": 1})


def test_a_service_that_is_broken_from_the_first_is_served_once_it_is_not(folder: Path) -> None:
    (folder / "values.py").write_text("1/0")
    words = ["serve", "--reload", "app:service", f"--address=unix:{folder}/s"]
    with serving(*words, cwd=folder, listening=0) as program:
        program.wait_for("values.py, line 1: ZeroDivisionError: division by zero.\n")
        (folder / "values.py").write_text("VALUE = 1")
        program.wait_for("Listening on unix:")
        program.addresses = [f"unix:{folder}/s"]
        with calling(program) as callers:
            callers.wait_for(1, answer(1))
        assert program.end() == 0


@pytest.mark.parametrize(("values", "said"), [("VALUE = 1", "Listening on"), ("1/0", "ZeroDivisionError")])
def test_ctrl_c_ends_it_whether_it_serves_or_waits(values: str, said: str, folder: Path) -> None:
    (folder / "values.py").write_text(values)
    words = ["serve", "--reload", "app:service", f"--address=unix:{folder}/s"]
    with on_terminal(*words, cwd=folder) as terminal:
        terminal.read_until(said)
        terminal.type("\x03")
        assert terminal.finish()[0] == 0
    assert not (folder / "s").exists()


def test_nobody_is_left_when_the_supervisor_is_killed(folder: Path) -> None:
    (folder / "values.py").write_text("1/0")
    words = ["serve", "--reload", "app:service", f"--address=unix:{folder}/s"]
    with serving(*words, cwd=folder, listening=0) as program:
        program.wait_for("ZeroDivisionError")
        program.process.kill()
        # The worker has stderr, too: it comes to its end with the last of them.
        program.wait_for_end()


def test_reload_is_for_one_process(folder: Path) -> None:
    status, sentence = refused("serve", "--reload", "--workers=2", "app:service", cwd=folder)
    assert (status, "leave out --workers" in sentence) == (2, True)
    status, sentence = refused("serve", "--reload", "app:service", "--address=-", cwd=folder)
    assert (status, "is served by one process" in sentence) == (2, True)
