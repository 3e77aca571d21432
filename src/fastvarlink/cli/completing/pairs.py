"""KEY=VALUE: the fields that a method has, and the values that they can have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fastvarlink.cli.completing.candidate import Candidate, summary
from fastvarlink.idl.printer import type_in_line
from fastvarlink.idl.tree import (
    Array,
    Enum,
    Field,
    Interface,
    Map,
    Method,
    Named,
    Nullable,
    Primitive,
    Struct,
    Type,
    TypeDeclaration,
)

__all__ = ["pairs"]


def pairs(word: str, given: Iterable[str], method: Method, interface: Interface) -> Iterator[Candidate]:
    """What a word of the parameters may become. ``given`` are the other words of them."""
    types = {member.name: member.type for member in interface.members if isinstance(member, TypeDeclaration)}
    key, equals, _ = word.partition("=")
    if equals:
        of = _at(method.input, key.removesuffix(":").split("."), types)
        if of is not None:
            yield from (Candidate(f"{key}={value}", text) for value, text in _values(of, types))
        return
    path = key.split(".")[:-1]
    struct = _at(method.input, path, types)
    if isinstance(struct, Struct):
        taken = {other.partition("=")[0].removesuffix(":") for other in given}
        for field in struct.fields:
            name = ".".join([*path, field.name])
            of = _bare(field.type, types)
            if name not in taken or isinstance(of, Array):
                yield Candidate(name + _sign(of, types), _describe(field), complete=False)


def _bare(of: Type, types: dict[str, Type]) -> Type:
    """The type behind names and question marks."""
    # A faulty definition may have names that lead in circles.
    for _ in range(100):
        if isinstance(of, Nullable):
            of = of.element
        elif isinstance(of, Named) and of.name in types:
            of = types[of.name]
        else:
            break
    return of


def _at(of: Type, path: list[str], types: dict[str, Type]) -> Type | None:
    """The type of what a path of keys leads to, None if it leads nowhere."""
    of = _bare(of, types)
    for key in path:
        if isinstance(of, Map):
            of = _bare(of.element, types)
        elif isinstance(of, Struct):
            found = next((field.type for field in of.fields if field.name == key), None)
            if found is None:
                return None
            of = _bare(found, types)
        else:
            return None
    return of


def _sign(of: Type, types: dict[str, Type]) -> str:
    """What follows the key of such a value."""
    if isinstance(of, Struct | Map):
        return "."
    if isinstance(of, Array):
        return ":=" if _sign(_bare(of.element, types), types) != "=" else "="
    return ":=" if of in (Primitive.OBJECT, Primitive.ANY) else "="


def _values(of: Type, types: dict[str, Type]) -> Iterator[tuple[str, str]]:
    if isinstance(of, Array):
        of = _bare(of.element, types)
    if of is Primitive.BOOL:
        yield from (("true", ""), ("false", ""))
    elif isinstance(of, Enum):
        yield from ((value.name, summary(value.doc or value.remark)) for value in of.values)


def _describe(field: Field) -> str:
    doc = summary(field.doc or field.remark)
    return f"{type_in_line(field.type)}{f'  {doc}' if doc else ''}"
