"""Each rule that is promised has a test that cites it, and each of those runs in both pieces."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent

# Each rule, and the sides that have to keep it. A file says by its name which side its tests are of; one that
# names neither is of both.
SERVER, CLIENT = frozenset({"server"}), frozenset({"client"})
BOTH = SERVER | CLIENT
RULES = {
    **dict.fromkeys(("F1", "F2", "F3", "F4", "F7", "F8", "F9", "F11", "F12"), BOTH),
    # Only calls are answered, queued, or half-closed behind.
    **dict.fromkeys(("F5", "F6", "F10"), SERVER),
    **dict.fromkeys(("C4", "C11", "C12"), BOTH),
    **dict.fromkeys(("C1", "C2", "C3", "C5", "C6", "C7", "C8", "C9", "C10"), SERVER),
    **dict.fromkeys(("R3", "R6", "R8", "R9"), BOTH),
    "R1": SERVER,
    # How a client takes replies.
    **dict.fromkeys(("R2", "R4", "R5", "R7"), CLIENT),
    **dict.fromkeys(("P1", "P2", "P3", "P4", "P5", "P7"), BOTH),
    "P6": SERVER,
    **dict.fromkeys(("E1", "E2", "E3"), BOTH),
    **dict.fromkeys(("D1", "D2", "D3", "D4"), BOTH),
    **dict.fromkeys(("S1", "S4", "S6", "S9"), BOTH),
    **dict.fromkeys(("S2", "S3", "S5", "S7", "S8"), SERVER),
}


def sides_of(path: Path) -> frozenset[str]:
    named = frozenset(side for side in BOTH if side in path.stem.split("_"))
    return named or BOTH


def cited() -> Iterator[tuple[str, str]]:
    """Each rule that a test cites, with the side that it shows it of, whatever was selected to run."""
    for path in sorted(HERE.glob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.FunctionDef) or not node.name.startswith("test_"):
                continue
            for decorator in node.decorator_list:
                if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == ("pytest.mark.rule"):
                    (rule,) = decorator.args
                    assert isinstance(rule, ast.Constant)
                    for side in sides_of(path):
                        yield str(rule.value), side


@pytest.mark.parametrize(
    ("rule", "side"), [(rule, side) for rule, sides in RULES.items() for side in sorted(sides)]
)
def test_a_rule_is_shown_of_each_side(rule: str, side: str) -> None:
    assert (rule, side) in set(cited()), f"No test shows the rule {rule} of the {side}."


def test_every_rule_of_the_documentation_is_in_the_table() -> None:
    text = (HERE.parents[1] / "docs" / "protocol.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| ([A-Z]\d+) \|", text, re.MULTILINE)) == set(RULES)


def test_tests_of_rules_run_whole_and_byte_by_byte(request: pytest.FixtureRequest) -> None:
    for item in request.session.items:
        if not isinstance(item, pytest.Function) or HERE not in item.path.parents:
            continue
        if item.get_closest_marker("rule") is not None:
            assert "pieces" in item.fixturenames, f"{item.nodeid} runs in one way only."
