"""Random definitions whose names are those of Python, of typing, and of what is generated."""

from __future__ import annotations

import dataclasses
import keyword
from collections.abc import Mapping
from typing import Any, TypeVar

from hypothesis import strategies as st
from trees import interfaces

from fastvarlink.error import RESERVED
from fastvarlink.idl import tree

__all__ = ["clashing_interfaces", "sample"]

_MEMBERS = [
    *("None", "True", "False", "Any", "Literal", "Mapping", "Iterator", "AsyncIterator", "Coroutine"),
    *("NotRequired", "TypeAlias", "TypedDict", "DEFINITION", "Exception", "Definition", "TypedClient"),
    *("BClient", "AsyncBClient", "BService", "PingClient", "AsyncPingService", "Interface1Client"),
    *("User", "UserAddress", "UserAddressA", "Get", "GetResult", "GetResultA", "Not", "Type", "Typed", "A"),
]
_FIELDS = [
    *(name for name in keyword.kwlist if name.isalpha()),
    *("bool", "dict", "float", "int", "list", "set", "str", "object", "type", "property", "match", "print"),
    *(
        "Any",
        "Literal",
        "Mapping",
        "TypeAlias",
        "NotRequired",
        "dataclass",
        "overload",
        "enum",
        "fastvarlink",
    ),
    *("self", "cls", "name", "value", "mro", "keys", "items", "get", "copy", "field", "definition", "close"),
    *("address", "Address", "a", "A", "a_a", "aA", "result", "resultA", "required", "alias", "dict_", "User"),
    *RESERVED,
]
# Names of an interface do not end with an underscore.
_FIELDS = sorted({name.rstrip("_") for name in _FIELDS})
_Node = TypeVar("_Node")


@st.composite
def clashing_interfaces(draw: st.DrawFn) -> tree.Interface:
    """Valid interfaces, as of trees.interfaces(), with such names."""
    interface = draw(interfaces())
    declared = [member.name for member in interface.members]
    used = sorted({name for member in interface.members for name in _names_in(member)})
    chosen = draw(
        st.lists(st.sampled_from(_MEMBERS), min_size=len(declared), max_size=len(declared), unique=True)
    )
    fields = draw(st.permutations(_FIELDS))
    rest = [f"more{number}" for number in range(len(used))]
    return _renamed(interface, dict(zip(declared, chosen, strict=True)), dict(zip(used, [*fields, *rest])))  # noqa: B905


def _parts(node: Any) -> list[Any]:
    """The nodes directly inside of one."""
    found: list[Any] = []
    for field in dataclasses.fields(node):
        value = getattr(node, field.name)
        found += [
            each
            for each in (value if isinstance(value, tuple) else (value,))
            if dataclasses.is_dataclass(each)
        ]
    return found


def _names_in(node: Any) -> set[str]:
    own = {node.name} if isinstance(node, tree.Field | tree.EnumValue) else set()
    return own.union(*map(_names_in, _parts(node)))


def _renamed(node: _Node, members: Mapping[str, str], fields: Mapping[str, str]) -> _Node:
    changes: dict[str, Any] = {}
    for field in dataclasses.fields(node):  # type: ignore[arg-type]
        value = getattr(node, field.name)
        if dataclasses.is_dataclass(value):
            changes[field.name] = _renamed(value, members, fields)
        elif isinstance(value, tuple) and value and dataclasses.is_dataclass(value[0]):
            changes[field.name] = tuple(_renamed(each, members, fields) for each in value)
        elif field.name == "name" and not isinstance(node, tree.Interface):
            of_field = isinstance(node, tree.Field | tree.EnumValue)
            changes["name"] = fields[value] if of_field else members[value]
    return dataclasses.replace(node, **changes)  # type: ignore[type-var]


def sample(of: tree.Type, types: Mapping[str, tree.Type], depth: int = 4) -> Any:
    """A value, as JSON decodes it, that a type takes; with all that is nullable, down to a depth."""
    match of:
        case tree.Primitive():
            return {"bool": True, "int": 1, "float": 1.5, "string": "x", "object": {"a": [1]}, "any": "x"}[
                of.value
            ]
        case tree.Named(name):
            return sample(types[name], types, depth - 1)
        case tree.Nullable(element):
            return sample(element, types, depth - 1) if depth > 0 else None
        case tree.Array(element):
            return [sample(element, types, depth - 1)] if depth > 0 else []
        case tree.Map(element):
            return {"key": sample(element, types, depth - 1)} if depth > 0 else {}
        case tree.Enum(values):
            return values[-1].name
        case tree.Struct(fields):
            made = {field.name: sample(field.type, types, depth - 1) for field in fields}
            return {name: value for name, value in made.items() if value is not None}
