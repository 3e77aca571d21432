"""Each rule of docs/interfaces.md has a test that cites it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent.parent
PROMISED = [f"I{number}" for number in range(1, 12)]


def cited() -> set[str]:
    found: set[str] = set()
    for folder in ("idl", "interop", "generation", "service"):
        for path in (TESTS / folder).glob("test_*.py"):
            found.update(re.findall(r'pytest\.mark\.rule\("(\w+)"\)', path.read_text("utf-8")))
    return found


@pytest.mark.parametrize("rule", PROMISED)
def test_a_promised_rule_is_shown(rule: str) -> None:
    assert rule in cited(), f"No test cites the rule {rule}."
