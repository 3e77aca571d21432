"""Syntax trees as JSON, for programs that want to know what a definition says.

A type is the text of a primitive (``"int"``), the name of a declared one (``"State"``, with a capital), or an
object with one member: ``{"nullable": T}``, ``{"array": T}``, ``{"map": T}``, ``{"enum": [VALUE ...]}`` or
``{"struct": [FIELD ...]}``.
"""

from __future__ import annotations

from typing import Any

from fastvarlink.idl import tree

__all__ = ["interface_json", "member_json"]


def interface_json(interface: tree.Interface) -> dict[str, Any]:
    """An interface and all its members."""
    return {
        "interface": interface.name,
        "doc": interface.doc,
        "members": [member_json(member) for member in interface.members],
    }


def member_json(member: tree.Member) -> dict[str, Any]:
    """A method with ``input`` and ``output``, an error or a type with ``type``."""
    match member:
        case tree.Method():
            kind, types = "method", {"input": _type(member.input), "output": _type(member.output)}
        case tree.Error():
            kind, types = "error", {"type": _type(member.type)}
        case tree.TypeDeclaration():
            kind, types = "type", {"type": _type(member.type)}
    return {"kind": kind, **_named(member), **types}


def _type(of: tree.Type) -> Any:
    match of:
        case tree.Primitive():
            return of.value
        case tree.Named(name):
            return name
        case tree.Nullable(element):
            return {"nullable": _type(element)}
        case tree.Array(element):
            return {"array": _type(element)}
        case tree.Map(element):
            return {"map": _type(element)}
        case tree.Enum(values):
            return {"enum": [_named(value) for value in values]}
        case tree.Struct(fields):
            return {"struct": [{**_named(field), "type": _type(field.type)} for field in fields]}


def _named(node: tree.Member | tree.Field | tree.EnumValue) -> dict[str, str]:
    return {"name": node.name, "doc": node.doc or node.remark}
