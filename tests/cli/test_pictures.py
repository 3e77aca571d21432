"""The pictures in the documentation show what the command shows now."""

from __future__ import annotations

import html
import re
import subprocess
import sys
from pathlib import Path

import pytest

from .command import PATIENCE

ROOT = Path(__file__).resolve().parent.parent.parent
PICTURES = ROOT / "docs" / "pictures"
# Its figures are others each time.
MEASURED = {"ping"}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with pictures that were made now."""
    folder = tmp_path_factory.mktemp("pictures")
    subprocess.run(
        [sys.executable, str(ROOT / "tools" / "pictures.py"), str(folder)], check=True, timeout=PATIENCE
    )
    return folder


def shown(picture: Path) -> list[str]:
    """The pieces of text in a picture. How it is drawn is up to the library that draws."""
    return [
        html.unescape(text).replace("\xa0", " ").strip()
        for text in re.findall(r"<text[^>]*>(.*?)</text>", picture.read_text("utf-8"), re.DOTALL)
    ]


def test_each_picture_is_in_the_documentation(drawn: Path) -> None:
    names = {path.name for path in drawn.iterdir()}
    assert names == {path.name for path in PICTURES.iterdir() if not path.name.startswith("bench-")}
    text = (ROOT / "docs" / "command.md").read_text("utf-8")
    assert set(re.findall(r"\(pictures/([\w.]+)\)", text)) == names


def test_pictures_are_up_to_date(drawn: Path) -> None:
    """If not: python tools/pictures.py."""
    for path in drawn.iterdir():
        assert path.stem in MEASURED or shown(path) == shown(PICTURES / path.name), path.name


def test_pictures_fetch_nothing() -> None:
    for path in PICTURES.iterdir():
        assert not re.search(r"url\(['\"]?http|<image|@import", path.read_text("utf-8"))
