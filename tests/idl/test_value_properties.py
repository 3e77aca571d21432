"""Random types, their values, and single mistakes in these: P1 to P5 by the hundred."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from values import NODE, expected, mistakes, structs, values

from fastvarlink._core.schema import Checker
from fastvarlink.error import InvalidParameter, ResultMismatch
from fastvarlink.idl import parse, to_text, tree
from fastvarlink.idl.checkers import Checkers


def checker_of(struct: tree.Struct) -> Checker:
    """The checker of a method's parameters, made from the text of its interface."""
    interface = tree.Interface(
        "org.example.random",
        "",
        (tree.TypeDeclaration("Node", NODE), tree.Method("Take", struct, tree.Struct(()))),
    )
    read = parse(to_text(interface))
    assert read == interface
    method = read.members[-1]
    assert isinstance(method, tree.Method)
    return Checkers(read).of(method.input)


@pytest.mark.rule("P2")
@pytest.mark.rule("P3")
@pytest.mark.rule("P4")
@settings(max_examples=150, deadline=None)
@given(st.data())
def test_values_of_a_type_pass(data: st.DataObject) -> None:
    struct = data.draw(structs(3))
    value = data.draw(values(struct))
    checker = checker_of(struct)
    # Through the decoder, as on a wire.
    taken = checker.take(json.loads(json.dumps(value)))
    assert taken == expected(struct, value)
    given_back = checker.give(copy.deepcopy(taken))
    assert expected(struct, json.loads(given_back or b"{}")) == taken


@pytest.mark.rule("P1")
@pytest.mark.rule("P5")
@settings(max_examples=150, deadline=None)
@given(st.data())
def test_each_single_mistake_is_found_at_its_place(data: st.DataObject) -> None:
    struct = data.draw(structs(3))
    value = data.draw(values(struct))
    checker = checker_of(struct)
    found = list(mistakes(struct, value))
    assume(found)
    chosen = data.draw(st.lists(st.sampled_from(range(len(found))), min_size=1, max_size=10))
    for index in chosen:
        wrong, path = found[index]
        with pytest.raises(InvalidParameter) as caught:
            checker.take(copy.deepcopy(wrong))
        assert caught.value.parameters() == {"parameter": path}


def at_end(wrong: Any, path: str) -> bool:
    """Whether a mistake is one for a sender too, who may leave out what he does not know."""
    return not path.endswith("surplus")


@pytest.mark.rule("P6")
@settings(max_examples=100, deadline=None)
@given(st.data())
def test_each_single_mistake_in_a_result_is_found(data: st.DataObject) -> None:
    struct = data.draw(structs(3))
    checker = checker_of(struct)
    value = checker.take(data.draw(values(struct)))
    plain = json.loads(checker.give(copy.deepcopy(value)) or b"{}")
    found = [(wrong, path) for wrong, path in mistakes(struct, plain) if at_end(wrong, path)]
    assume(found)
    wrong, path = data.draw(st.sampled_from(found))
    with pytest.raises(ResultMismatch) as caught:
        checker.give(wrong)
    assert caught.value.path == path
