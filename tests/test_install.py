"""install() and exec: programs written for the package varlink run on fastvarlink unchanged.

Each test runs in a process of its own, as what it changes is the process's import system.
"""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

# A stand-in for the original package, so that the tests do not depend on what is installed.
ORIGINAL = {
    "__init__.py": "marker = 'the original'\n",
    "client.py": "marker = 'the original client'\n",
    "tests/__init__.py": "import varlink\n",
    "tests/test_it.py": "import varlink\nfrom varlink.client import Client\nprint(varlink.__name__)\n",
}


@pytest.fixture
def original(tmp_path: Path) -> Path:
    """A folder with a package that is called varlink."""
    folder = tmp_path / "site"
    for name, text in ORIGINAL.items():
        path = folder / "varlink" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def python(*words: str, path: Path | None = None, cwd: Path | None = None) -> str:
    """What Python prints when it is run with the words; it must succeed."""
    done = run(*words, path=path, cwd=cwd)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout.strip()


def run(*words: str, path: Path | None = None, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(path or "")}
    return subprocess.run(
        [sys.executable, "-W", "error", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=environment,
        cwd=cwd,
    )


def program(text: str, path: Path | None = None) -> str:
    return python("-c", textwrap.dedent(text), path=path)


def test_modules_are_the_same_objects() -> None:
    program(
        """
        import importlib, sys
        import fastvarlink
        spec = fastvarlink.__spec__
        fastvarlink.install()
        import varlink
        assert varlink is fastvarlink
        assert varlink.__spec__ is spec and spec.name == "fastvarlink"
        for name in ("client", "server", "scanner", "error", "mock", "cli"):
            module = importlib.import_module(f"varlink.{name}")
            ours = importlib.import_module(f"fastvarlink.{name}")
            assert module is ours is getattr(varlink, name), name
            assert module.__spec__.name == f"fastvarlink.{name}", name
        from varlink.error import VarlinkError
        assert VarlinkError is fastvarlink.VarlinkError
        """
    )


def test_heavy_modules_wait_until_they_are_asked_for() -> None:
    program(
        """
        import sys
        import fastvarlink
        fastvarlink.install()
        import varlink
        for name in ("mock", "cli"):
            assert f"varlink.{name}" not in sys.modules, name
            assert f"fastvarlink.{name}" not in sys.modules, name
        """
    )


def test_installing_twice_is_installing_once() -> None:
    program(
        """
        import sys
        import fastvarlink
        fastvarlink.install()
        finders, modules = list(sys.meta_path), dict(sys.modules)
        fastvarlink.install()
        assert finders == sys.meta_path and modules == sys.modules
        """
    )


def test_it_takes_the_place_of_an_original_that_is_imported(original: Path) -> None:
    program(
        """
        import varlink, varlink.client, varlink.tests
        assert varlink.marker == "the original"
        old = varlink
        import fastvarlink
        fastvarlink.install()
        import varlink, varlink.client
        assert varlink is fastvarlink and varlink.client is fastvarlink.client
        import varlink.tests
        assert varlink.tests.varlink is fastvarlink
        # Names bound before keep the original.
        assert old.marker == "the original"
        """,
        original,
    )


def test_what_only_the_original_has_comes_from_there(original: Path) -> None:
    program(
        """
        import fastvarlink
        fastvarlink.install()
        import varlink.tests.test_it as module
        assert module.varlink is fastvarlink
        assert module.Client is fastvarlink.Client
        """,
        original,
    )


def test_a_missing_submodule_is_an_ordinary_import_error() -> None:
    program(
        """
        import fastvarlink
        fastvarlink.install()
        for name in ("varlink.nothing", "varlink.client.nothing"):
            try:
                __import__(name)
            except ModuleNotFoundError as error:
                assert error.name == name, error
            else:
                raise SystemExit(f"{name} was imported")
        """
    )


SHOW = """
import os, sys
import varlink
assert __name__ == "__main__" and sys.modules["__main__"].__dict__ is globals()
print(varlink.__name__, sys.argv[1:], os.path.realpath(sys.path[0]), os.path.basename(__file__))
sys.exit(7)
"""


def test_exec_runs_a_script_as_python_does(tmp_path: Path) -> None:
    script = tmp_path / "inner" / "script.py"
    script.parent.mkdir()
    script.write_text(SHOW)
    done = run("-m", "fastvarlink", "exec", str(script), "one", "-m", "--two", cwd=tmp_path)
    assert done.returncode == 7, done.stderr
    expected = f"fastvarlink ['one', '-m', '--two'] {script.parent} script.py"
    assert done.stdout.strip() == expected


def test_exec_runs_a_module_as_python_does(tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").touch()
    (tmp_path / "package" / "__main__.py").write_text(
        SHOW + "assert __package__ == 'package' and __spec__.name == 'package.__main__'\n"
    )
    done = run("-m", "fastvarlink", "exec", "-m", "package", "-x", cwd=tmp_path)
    assert done.returncode == 7, done.stderr
    assert done.stdout.strip() == f"fastvarlink ['-x'] {tmp_path} __main__.py"


def test_exec_runs_the_tests_of_the_original(original: Path) -> None:
    shown = python("-m", "fastvarlink", "exec", "-m", "varlink.tests.test_it", path=original)
    assert shown == "fastvarlink"


def test_exec_runs_the_command_line_under_its_old_name() -> None:
    old = python("-m", "fastvarlink", "exec", "-m", "varlink.cli", "--help")
    assert old == python("-m", "fastvarlink", "--help")


def test_exec_passes_an_exception_on(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("raise ValueError('mine')\n")
    done = run("-m", "fastvarlink", "exec", str(script))
    assert done.returncode == 1
    assert done.stderr.endswith("ValueError: mine\n")


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        ([], 2, "exec needs a script"),
        (["-m"], 2, "exec needs a script"),
        (["no/such/script.py"], 2, "no/such/script.py"),
        (["-m", "no_such_module"], 1, "no_such_module"),
        (["-m", "no_such.module"], 1, "no_such"),
    ],
)
def test_exec_of_nothing_is_told_in_a_sentence(words: list[str], status: int, said: str) -> None:
    done = run("-m", "fastvarlink", "exec", *words)
    assert done.returncode == status
    assert said in done.stderr
    assert "Traceback" not in done.stderr
