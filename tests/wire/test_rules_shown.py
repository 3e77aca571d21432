"""Each rule that is promised has a test that cites it, and each of those runs in both pieces."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent

PROMISED = [
    *(f"F{number}" for number in range(1, 12)),
    *(f"C{number}" for number in range(1, 10)),
    *(f"P{number}" for number in range(1, 8)),
    *(f"R{number}" for number in range(1, 10)),
    *(f"E{number}" for number in range(1, 4)),
    *("S1", "S2", "S3", "S4", "S6"),
]


def cited() -> Iterator[tuple[str, str]]:
    """Each rule that a test cites, with the name of the test, whatever was selected to run."""
    for path in sorted(HERE.glob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.FunctionDef) or not node.name.startswith("test_"):
                continue
            for decorator in node.decorator_list:
                if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == ("pytest.mark.rule"):
                    (rule,) = decorator.args
                    assert isinstance(rule, ast.Constant)
                    yield str(rule.value), f"{path.name}::{node.name}"


@pytest.mark.parametrize("rule", PROMISED)
def test_a_promised_rule_is_shown(rule: str) -> None:
    assert rule in {found for found, _ in cited()}, f"No test cites the rule {rule}."


def test_tests_of_rules_run_whole_and_byte_by_byte(request: pytest.FixtureRequest) -> None:
    for item in request.session.items:
        if not isinstance(item, pytest.Function) or HERE not in item.path.parents:
            continue
        if item.get_closest_marker("rule") is not None:
            assert "pieces" in item.fixturenames, f"{item.nodeid} runs in one way only."
