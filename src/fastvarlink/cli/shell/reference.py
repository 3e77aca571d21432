"""What there is to know of a method, for who is about to call it."""

from __future__ import annotations

from collections.abc import Iterator

from fastvarlink.cli.fault import MISUSED, fail
from fastvarlink.idl.printer import method_in_line, type_in_line
from fastvarlink.idl.tree import Array, Interface, Map, Method, Named, Nullable, Struct, Type, TypeDeclaration

__all__ = ["about_member"]


def about_member(interface: Interface, name: str) -> str:
    """A method with its documentation, and the types that it needs. Fails if there is no such method."""
    method = next(
        (each for each in interface.members if isinstance(each, Method) and each.name == name), None
    )
    if method is None:
        fail(f"{interface.name} has no method {name}; 'methods {interface.name}' lists them.", MISUSED)
    lines = [*_comment(method.doc), f"method {method_in_line(method)}"]
    for declared in _needed(method, interface):
        lines += ["", *_comment(declared.doc), f"type {declared.name} {type_in_line(declared.type)}"]
    return "\n".join(lines)


def _comment(doc: str) -> list[str]:
    return [f"# {line}".rstrip() for line in doc.splitlines()]


def _needed(method: Method, interface: Interface) -> list[TypeDeclaration]:
    """The types that a method names, and those that they name, in the order of the interface."""
    types = {each.name: each for each in interface.members if isinstance(each, TypeDeclaration)}
    needed: set[str] = set()
    waiting = [*_named(method.input), *_named(method.output)]
    while waiting:
        name = waiting.pop()
        if name in types and name not in needed:
            needed.add(name)
            waiting += _named(types[name].type)
    return [each for name, each in types.items() if name in needed]


def _named(of: Type) -> Iterator[str]:
    match of:
        case Named(name):
            yield name
        case Array(element) | Map(element) | Nullable(element):
            yield from _named(element)
        case Struct(fields):
            for field in fields:
                yield from _named(field.type)
