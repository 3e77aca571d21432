"""Random types, values that they take, and single mistakes in these, for property tests."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from fastvarlink.idl import tree

INT, FLOAT, STRING = tree.Primitive.INT, tree.Primitive.FLOAT, tree.Primitive.STRING

# One declared type that contains itself in every way that has a way out.
NODE = tree.Struct(
    (
        tree.Field("value", INT),
        tree.Field("next", tree.Nullable(tree.Named("Node"))),
        tree.Field("children", tree.Nullable(tree.Array(tree.Named("Node")))),
        tree.Field("named", tree.Nullable(tree.Map(tree.Named("Node")))),
    )
)
NAMES = st.sampled_from(["a", "b", "class", "value", "Zip", "long_name_2"])
KEYS = st.sampled_from(["k", "key", "other key", "ö", "1"])
SET = tree.Map(tree.Struct(()))


def structs(depth: int) -> st.SearchStrategy[tree.Struct]:
    """Structs with types of at most this depth."""
    fields = st.builds(tree.Field, NAMES, types(depth - 1))
    return st.lists(fields, max_size=4, unique_by=lambda field: field.name).map(
        lambda found: tree.Struct(tuple(found))
    )


def types(depth: int) -> st.SearchStrategy[tree.Type]:
    """Types of every kind."""
    plain: st.SearchStrategy[tree.Type] = st.one_of(
        st.sampled_from(list(tree.Primitive)),
        st.just(tree.Named("Node")),
        st.just(SET),
        st.lists(NAMES, min_size=1, max_size=3, unique=True).map(
            lambda names: tree.Enum(tuple(map(tree.EnumValue, names)))
        ),
    )
    if depth <= 0:
        return plain
    deeper = st.deferred(lambda: types(depth - 1))
    return st.one_of(
        plain,
        st.builds(tree.Array, deeper),
        st.builds(tree.Map, deeper),
        st.builds(tree.Nullable, deeper.filter(lambda of: not isinstance(of, tree.Nullable))),
        structs(depth),
    )


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=2),
    max_leaves=5,
)


def values(of: tree.Type, depth: int = 4) -> st.SearchStrategy[Any]:
    """Values, as JSON decodes them, that a type takes."""
    match of:
        case tree.Primitive.BOOL:
            return st.booleans()
        case tree.Primitive.INT:
            return st.integers(-(2**63), 2**64 - 1)
        case tree.Primitive.FLOAT:
            return st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53)
        case tree.Primitive.STRING:
            return st.text(st.characters(exclude_categories=["Cs"]))
        case tree.Primitive.OBJECT:
            return st.dictionaries(KEYS, JSON, max_size=2)
        case tree.Primitive.ANY:
            return JSON.filter(lambda value: value is not None)
        case tree.Nullable(element):
            return st.none() if depth <= 0 else st.none() | values(element, depth - 1)
        case tree.Named():
            return values(NODE, depth - 1)
        case tree.Enum(choices):
            return st.sampled_from([choice.name for choice in choices])
        case tree.Array(element):
            return st.lists(values(element, depth - 1), max_size=2 if depth > 0 else 0)
        case tree.Map(element):
            return st.dictionaries(KEYS, values(element, depth - 1), max_size=2 if depth > 0 else 0)
        case tree.Struct(fields):
            needed: dict[str, Any] = {}
            optional: dict[str, Any] = {}
            for field in fields:
                kind = optional if isinstance(field.type, tree.Nullable) else needed
                kind[field.name] = values(field.type, depth - 1)
            return st.fixed_dictionaries(needed, optional=optional)
    raise AssertionError(of)


def places(
    of: tree.Type, value: Any, path: str, steps: tuple[Any, ...]
) -> Iterator[tuple[tree.Type, str, Any]]:
    """Each place in a value: its type, its path, and the steps to it from the outside."""
    yield of, path, steps
    if isinstance(of, tree.Nullable):
        if value is not None:
            yield from places(of.element, value, path, steps)
    elif isinstance(of, tree.Named):
        yield from places(NODE, value, path, steps)
    elif isinstance(of, tree.Struct):
        for field in of.fields:
            if field.name in value:
                inner = f"{path}.{field.name}" if path else field.name
                yield from places(field.type, value[field.name], inner, (*steps, field.name))
    elif isinstance(of, tree.Array):
        for index, each in enumerate(value):
            yield from places(of.element, each, f"{path}[{index}]", (*steps, index))
    elif isinstance(of, tree.Map):
        for key, each in value.items():
            yield from places(of.element, each, f"{path}.{key}", (*steps, key))


WRONG: dict[Any, list[Any]] = {
    tree.Primitive.BOOL: [0, 1, "true", None, [], {}],
    tree.Primitive.INT: [1.0, 1.5, True, "1", None, [], {}, 2.0**64],
    tree.Primitive.FLOAT: [True, "1", None, [], {}],
    tree.Primitive.STRING: [1, True, None, [], {}],
    tree.Primitive.OBJECT: [1, "", None, []],
    tree.Primitive.ANY: [None],
    tree.Array: [{}, "ab", 1, None, False],
    tree.Map: [[], "ab", 1, None],
    tree.Struct: [[], "ab", 1, None],
    tree.Enum: ["no such value", "", 1, None, []],
}


def mistakes(of: tree.Type, value: Any) -> Iterator[tuple[Any, str]]:
    """The value with one mistake, and the path of that, for each mistake that is known."""
    for at, path, steps in places(of, value, "", ()):
        if isinstance(at, tree.Nullable | tree.Named):
            continue
        kind = at if isinstance(at, tree.Primitive) else type(at)
        inside_nullable = _is_nullable_at(of, steps)
        if steps:
            for wrong in WRONG[kind]:
                if not (wrong is None and inside_nullable):
                    yield _replaced(value, steps, wrong), path
        if isinstance(at, tree.Struct):
            found = _at(value, steps)
            surplus = f"{path}.surplus" if path else "surplus"
            yield _replaced(value, steps, found | {"surplus": 1}), surplus
            for field in at.fields:
                if not isinstance(field.type, tree.Nullable):
                    less = {name: each for name, each in found.items() if name != field.name}
                    yield _replaced(value, steps, less), f"{path}.{field.name}" if path else field.name


def _is_nullable_at(of: tree.Type, steps: tuple[Any, ...]) -> bool:
    """Whether the declaration lets null stand at a place."""
    nullable = False
    remaining = list(steps)
    while True:
        if isinstance(of, tree.Nullable):
            nullable, of = True, of.element
        elif isinstance(of, tree.Named):
            of = NODE
        elif not remaining:
            return nullable
        else:
            step, nullable = remaining.pop(0), False
            if isinstance(of, tree.Struct):
                of = next(field.type for field in of.fields if field.name == step)
            else:
                assert isinstance(of, tree.Array | tree.Map)
                of = of.element


def _at(value: Any, steps: tuple[Any, ...]) -> Any:
    for step in steps:
        value = value[step]
    return value


def _replaced(value: Any, steps: tuple[Any, ...], wrong: Any) -> Any:
    if not steps:
        return wrong
    changed = copy.deepcopy(value)
    _at(changed, steps[:-1])[steps[-1]] = wrong
    return changed


def expected(of: tree.Type, value: Any) -> Any:
    """What a receiver gets for a value: no nulls in structs, sets for sets, floats for floats."""
    match of:
        case tree.Nullable(element):
            return None if value is None else expected(element, value)
        case tree.Named():
            return expected(NODE, value)
        case tree.Primitive.FLOAT:
            return float(value)
        case tree.Array(element):
            return [expected(element, each) for each in value]
        case tree.Map(element):
            if of == SET:
                return set(value)
            return {key: expected(element, each) for key, each in value.items()}
        case tree.Struct(fields):
            return {
                field.name: expected(field.type, value[field.name])
                for field in fields
                if value.get(field.name) is not None
            }
        case _:
            return value
