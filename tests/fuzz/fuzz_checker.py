"""Feeds the checkers of parameters with definitions and values that a fuzzer makes up. It needs atheris.

    python tests/fuzz/fuzz_checker.py -max_total_time=60 tests/fuzz/corpus/checker

An input is a definition, a NUL, and an object in JSON, which is checked as the parameters of the first
method. The arguments are those of fuzz_idl.py.
"""

from __future__ import annotations

from typing import Any

import atheris
from fuzzing import fuzz

with atheris.instrument_imports(include=["fastvarlink"]):
    import orjson

    from fastvarlink.error import InvalidParameter, ResultMismatch
    from fastvarlink.idl import IdlSyntaxError, parse, tree
    from fastvarlink.idl.checkers import Checkers


def check(data: bytes) -> None:
    """A value passes exactly when it fits its declaration, and what was taken can be given back."""
    definition, _, parameters = data.partition(b"\0")
    try:
        interface = parse(definition)
        value = orjson.loads(parameters)
    except (IdlSyntaxError, ValueError):
        return
    methods = [member for member in interface.members if isinstance(member, tree.Method)]
    if not methods or not isinstance(value, dict):
        return
    declared = methods[0].input
    types = {m.name: m.type for m in interface.members if isinstance(m, tree.TypeDeclaration)}
    expected = fits(declared, value, types)
    checker = Checkers(interface).of(declared)
    try:
        taken = checker.take(value)
    except InvalidParameter:
        taken = None
    assert expected == (taken is not None), f"It fits: {expected}. What was taken: {taken}."
    if taken is None:
        return
    try:
        given = checker.give(taken)
    except ResultMismatch as mismatch:
        raise AssertionError("What was taken cannot be given.") from mismatch
    again = checker.take(orjson.loads(given or b"{}"))
    assert again == taken, "What was given is not what was taken."


def fits(of: tree.Type, value: Any, types: dict[str, tree.Type]) -> bool:
    """Whether a value is of a type: the rules once more, as plainly as can be."""
    match of:
        case tree.Nullable(element):
            return value is None or fits(element, value, types)
        case tree.Named(name):
            return fits(types[name], value, types)
        case tree.Primitive.BOOL:
            return isinstance(value, bool)
        case tree.Primitive.INT:
            return isinstance(value, int) and not isinstance(value, bool)
        case tree.Primitive.FLOAT:
            return isinstance(value, int | float) and not isinstance(value, bool)
        case tree.Primitive.STRING:
            return isinstance(value, str)
        case tree.Primitive.OBJECT:
            return isinstance(value, dict)
        case tree.Primitive.ANY:
            return value is not None
        case tree.Enum(values):
            return isinstance(value, str) and value in {each.name for each in values}
        case tree.Array(element):
            return isinstance(value, list) and all(fits(element, each, types) for each in value)
        case tree.Map(element):
            return isinstance(value, dict) and all(fits(element, each, types) for each in value.values())
        case tree.Struct(fields):
            known = {field.name: field.type for field in fields}
            return (
                isinstance(value, dict)
                and set(value) <= set(known)
                and all(fits(type_, value.get(name), types) for name, type_ in known.items())
            )
    raise AssertionError(of)


if __name__ == "__main__":
    fuzz(check)
