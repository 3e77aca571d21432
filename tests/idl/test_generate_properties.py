"""Any definition becomes a module that is imported, passes type checkers, and fits its own definition."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from clashing import clashing_interfaces, sample
from generated import VARIANTS, checker_of, load, places
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from type_checkers import mypy, ruff

from fastvarlink.idl import generate, to_text, tree

bounded = settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


@settings(bounded, max_examples=60)
@given(clashing_interfaces(), st.sampled_from(VARIANTS))
def test_modules_are_imported_and_their_classes_carry_values(
    interface: tree.Interface, options: dict[str, Any]
) -> None:
    text = to_text(interface)
    module = load(text, **options)
    try:
        assert module.DEFINITION.interface.description == text
        assert len(set(module.__all__)) == len(module.__all__)
        types = {each.name: each.type for each in interface.members if isinstance(each, tree.TypeDeclaration)}
        for place, of in places(interface):
            checker = checker_of(module, place)
            if isinstance(of, tree.Struct):
                sent = sample(of, types)
                made = checker.accept(json.loads(json.dumps(sent)))
                shape = module.DEFINITION.shapes.get(place)
                assert isinstance(made, dict if shape is None else shape)
                assert json.loads(checker.give(made) or b"{}") == sent
    finally:
        del sys.modules[module.__name__]


def test_modules_pass_type_checkers_and_linters(tmp_path: Path) -> None:
    texts: set[str] = set()

    @settings(bounded, max_examples=40, database=None)
    @given(clashing_interfaces(), st.sampled_from(VARIANTS))
    def collect(interface: tree.Interface, options: dict[str, Any]) -> None:
        texts.add(generate(to_text(interface), **options))

    collect()
    folder = tmp_path / "modules"
    folder.mkdir()
    for number, text in enumerate(sorted(texts)):
        (folder / f"module_{number}.py").write_text(text, encoding="utf-8")
    assert mypy(folder) == []
    assert ruff(folder) == ""
