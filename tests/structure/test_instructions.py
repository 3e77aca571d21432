"""What bench/instructions.py makes of profiles, figures and the changelog."""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

BENCH = Path(__file__).resolve().parents[2] / "bench"


@pytest.fixture(scope="module")
def instructions() -> Iterator[ModuleType]:
    """The module: bench is no package, and nothing of it is installed."""
    spec = importlib.util.spec_from_file_location("instructions", BENCH / "instructions.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Where dataclasses look for it.
    sys.modules["instructions"] = module
    try:
        spec.loader.exec_module(module)
        yield module
    finally:
        del sys.modules["instructions"]


def profile(name: str, total: int) -> str:
    return (
        f"version: 1\ndesc: Trigger: Client Request: {name}\nevents: Ir\nfn=(1) f\n0 12\n\ntotals: {total}\n"
    )


def changelog(*entries: str) -> str:
    newest = "\n".join(entries)
    return f"# Changelog\n\n## 0.2.0\n\nWords.\n\n{newest}\n\n## 0.1.0\n\n- Instructions: old one 1: no.\n"


def test_a_figure_is_the_difference_of_two_runs(instructions: ModuleType) -> None:
    counts = instructions.read_profiles([profile("unary short", 1_500), profile("unary long", 21_500)])
    assert instructions.per_call(counts, "unary", 2) == 10_000


def test_a_profile_without_a_mark_is_left_out(instructions: ModuleType) -> None:
    assert instructions.read_profiles(["desc: Trigger: Program termination\ntotals: 7\n"]) == {}


def test_a_profile_that_was_not_written_is_named(instructions: ModuleType) -> None:
    counts = instructions.read_profiles([profile("unary short", 1)])
    with pytest.raises(instructions.BadProfileError, match='"unary long"'):
        instructions.per_call(counts, "unary", 2)


@pytest.mark.parametrize(
    ("now", "excuses", "verdict"),
    [
        (1_050, {}, ""),
        (1_051, {}, "GREW"),
        (950, {}, ""),
        (949, {}, "shrank: run make bench-count UPDATE=1"),
        (1_100, {"one": 1_090}, "grew, as CHANGELOG.md says"),
        (1_200, {"one": 1_090}, "GREW"),
        (1_100, {"other": 1_090}, "GREW"),
        (1_000, {"one": 900}, ""),
    ],
)
def test_growth_beyond_five_percent_needs_an_excuse_of_its_size(
    instructions: ModuleType, now: int, excuses: dict[str, int], verdict: str
) -> None:
    (row,) = instructions.compare({"one": now}, {"one": 1_000}, excuses)
    assert row.verdict == verdict


def test_what_is_not_known_is_not_compared(instructions: ModuleType) -> None:
    (row,) = instructions.compare({"one": 10}, {}, {})
    assert (row.change, row.verdict) == (None, "no figure to compare with")
    assert list(instructions.table([row]))[1].split()[:4] == ["one", "-", "10", "-"]


def test_the_table_shows_both_figures_and_the_change(instructions: ModuleType) -> None:
    (row,) = instructions.compare({"unary server": 11_000}, {"unary server": 10_000}, {})
    assert list(instructions.table([row]))[1].split() == [
        "unary",
        "server",
        "10,000",
        "11,000",
        "+10.0%",
        "GREW",
    ]


def test_only_the_newest_section_excuses(instructions: ModuleType) -> None:
    text = changelog(
        "- Something: new 3, and more.",
        "- Instructions: unary server 10,200, stream client 5100: replies tell",
        "  what 7 they are.",
        "- Instructions: asyncio",
        "  pair 91,000: why.",
        "- Another.",
    )
    wanted = {"unary server": 10_200, "stream client": 5_100, "asyncio pair": 91_000}
    assert instructions.read_excuses(text) == wanted


def test_a_changelog_without_sections_excuses_nothing(instructions: ModuleType) -> None:
    assert instructions.read_excuses("# Changelog\n- Instructions: old one 1: why.\n") == {}


def test_what_is_saved_is_loaded(instructions: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    assert instructions.load(path) == {}
    content = {"a build": {"figures": {"one": 1}, "with": {"orjson": "3"}}}
    instructions.save(path, content)
    assert instructions.load(path) == content
