"""When tools/build.sh installs, and when it sees that there is nothing to install."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

BUILD = Path(__file__).resolve().parents[2] / "tools" / "build.sh"
PATIENCE = 120

# A build that needs nothing of the network, and leaves a line for each time it is asked for a wheel.
BACKEND = """
import os, zipfile

METADATA = "Metadata-Version: 2.1\\nName: fastvarlink\\nVersion: 1\\n"
EXTRAS = "Provides-Extra: test\\nProvides-Extra: lint\\n"

def build_wheel(folder, config_settings=None, metadata_directory=None):
    with open("built", "a") as built:
        print("wheel", file=built)
    if os.path.exists("src/broken"):
        raise SystemExit("broken")
    name, info = "fastvarlink-1-py3-none-any.whl", "fastvarlink-1.dist-info"
    with zipfile.ZipFile(os.path.join(folder, name), "w") as wheel:
        module = f"fastvarlink_{os.environ.get('FASTVARLINK_BUILD', 'release')}.py"
        wheel.writestr(module, "")
        wheel.writestr(f"{info}/METADATA", METADATA + EXTRAS)
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(f"{info}/RECORD", f"{module},,\\n{info}/METADATA,,\\n{info}/WHEEL,,\\n")
    return name
"""
PROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""


class Project:
    """A small project with the files that build.sh looks at."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("setup.py", "README.md", "LICENSE", "src/module.py", "src/other.py", "cext/core.pyx"):
            self.write(name, "one")
        self.write("pyproject.toml", PROJECT)
        self.write("backend.py", BACKEND)

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)

    def builds(self, extras: str = "", **environment: str) -> bool:
        """Run build.sh; whether that has built anything."""
        before = self.count()
        self.run([BUILD, sys.executable, ".venv", extras], **environment).check_returncode()
        return self.count() > before

    def run(self, command: list[str | Path], **environment: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            command, cwd=self.folder, env={**os.environ, **environment}, check=False, timeout=PATIENCE
        )

    def count(self) -> int:
        built = self.folder / "built"
        return len(built.read_text().splitlines()) if built.exists() else 0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all tests, as making the virtual environment takes longest."""
    return tmp_path_factory.mktemp("project")


@pytest.fixture
def project(folder: Path, request: pytest.FixtureRequest) -> Project:
    """A project whose sources nobody has installed yet."""
    made = Project(folder)
    made.write("src/module.py", request.node.name)
    return made


def test_what_is_installed_is_not_installed_again(project: Project) -> None:
    assert project.builds("[test,lint]")
    # Extras that are there already, and what compiling in place and running leave behind.
    project.write("src/module.so", "compiled")
    project.write("src/module.pyc", "compiled")
    assert not project.builds("[test,lint]")
    assert not project.builds("[lint]")
    assert not project.builds()


def test_whatever_makes_a_difference_is_installed(project: Project) -> None:
    assert project.builds("[test]")
    project.write("cext/core.pyx", "two")
    assert project.builds("[lint]")
    assert project.builds("[test]")
    assert not project.builds("[lint]")
    (project.folder / "src/other.py").unlink()
    assert project.builds()
    assert project.builds(FASTVARLINK_BUILD="another")


def test_an_installation_that_fails_or_is_made_by_hand_is_made_anew(project: Project) -> None:
    assert project.builds()
    project.write("src/broken", "yes")
    assert project.run([BUILD, sys.executable, ".venv", ""]).returncode != 0
    (project.folder / "src/broken").unlink()
    assert project.builds()
    pip: list[str | Path] = [".venv/bin/python", "-m", "pip", "--quiet", "--disable-pip-version-check"]
    project.run([*pip, "install", "."], FASTVARLINK_BUILD="another").check_returncode()
    assert project.builds()
