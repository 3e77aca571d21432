"""From a definition to Python and back: the annotations of a generated module declare the same interface."""

from __future__ import annotations

import dataclasses
import sys
import types
from pathlib import Path
from typing import Any

import pytest
from clashing import clashing_interfaces
from generated import VARIANTS, load
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from trees import interfaces

import fastvarlink
from fastvarlink.idl import compare, parse, to_text, tree
from fastvarlink.idl.annotations import AnnotationError
from fastvarlink.service.declaration import definition_of

bounded = settings(
    deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
EXAMPLES = sorted((Path(__file__).resolve().parents[2] / "examples").glob("*.varlink"))


def with_a_use_of_all(interface: tree.Interface) -> tree.Interface:
    """The interface with one more method, which takes all declared types: others are not declared by use."""
    declared = [member.name for member in interface.members if isinstance(member, tree.TypeDeclaration)]
    fields = tuple(tree.Field(f"use{i}", tree.Named(name)) for i, name in enumerate(declared))
    method = tree.Method("UsesAllOfThem", tree.Struct(fields), tree.Struct(()))
    return dataclasses.replace(interface, members=(*interface.members, method))


def declared_again(interface: tree.Interface, module: Any) -> tree.Interface:
    """What the annotations of a generated module declare: of its service, results, types and errors."""
    shapes = module.DEFINITION.shapes
    service = next(
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, fastvarlink.TypedService)
    )
    functions = {}
    for member in interface.members:
        if not isinstance(member, tree.Method):
            continue
        attribute = member.name if member.name in vars(service) else f"{member.name}_"
        original = vars(service)[attribute]
        function = types.FunctionType(original.__code__, original.__globals__, attribute)
        # A service's method may stream or not; this one does not.
        returned = original.__annotations__["return"].removeprefix("fastvarlink.Answer[").removesuffix("]")
        annotations = original.__annotations__ | {"return": returned if member.output.fields else None}
        function.__annotations__ = annotations
        functions[attribute] = fastvarlink.method(name=member.name)(function)
    errors = [shapes[member.name] for member in interface.members if isinstance(member, tree.Error)]
    try:
        cls = fastvarlink.interface(interface.name, errors=errors)(type("Again", (), functions))
    except AnnotationError as error:
        # An inline struct may be called like a declared one, but for an underscore that names on a wire lose.
        assume("another class called" not in str(error))
        raise
    definition = definition_of(cls)
    assert definition is not None
    return parse(definition.interface.description)


def check(interface: tree.Interface, options: dict[str, Any]) -> None:
    interface = with_a_use_of_all(interface)
    module = load(to_text(interface), **options)
    try:
        again = declared_again(interface, module)
    finally:
        del sys.modules[module.__name__]
    for old, new in ((interface, again), (again, interface)):
        # Types may have got names or lost them, which nobody sees on a wire.
        named = {"type " + member.name for member in old.members if isinstance(member, tree.TypeDeclaration)}
        changes = [change for change in compare(old, new) if change.path not in named]
        assert [change for change in changes if change.breaking] == []


@settings(bounded, max_examples=60)
@given(clashing_interfaces(), st.sampled_from(VARIANTS))
def test_clashing_names_come_back(interface: tree.Interface, options: dict[str, Any]) -> None:
    check(interface, options)


@settings(bounded, max_examples=60)
@given(interfaces(comments=False), st.sampled_from(VARIANTS))
def test_random_interfaces_come_back(interface: tree.Interface, options: dict[str, Any]) -> None:
    check(interface, options)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
@pytest.mark.parametrize("options", VARIANTS, ids=str)
def test_definitions_come_back(path: Path, options: dict[str, Any]) -> None:
    check(parse(path.read_text()), options)
