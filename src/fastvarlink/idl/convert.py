"""Turns syntax trees into the node classes of the package ``varlink``, and back."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from fastvarlink.idl import tree
from fastvarlink.idl.scanner import (
    Member,
    Node,
    _Alias,
    _Array,
    _CustomType,
    _Dict,
    _Enum,
    _Error,
    _Maybe,
    _Method,
    _Object,
    _Struct,
)

__all__ = ["nodes_from_tree", "tree_from_nodes"]

_EMPTY = tree.Struct(())


def nodes_from_tree(interface: tree.Interface, text: str) -> OrderedDict[str, Member]:
    """The members of a tree as nodes, by name.

    ``text`` is what the tree was read from: methods keep theirs from their names on. The nodes have no
    ``any``; it becomes their ``object``, which lets every value pass as well.
    """
    return OrderedDict((m.name, _member_node(m, text)) for m in interface.members)


def _member_node(member: tree.Member, text: str) -> Member:
    if isinstance(member, tree.TypeDeclaration):
        return _Alias(member.name, _node(member.type), member.doc)
    if isinstance(member, tree.Error):
        return _Error(member.name, _struct_node(member.type), member.doc)
    return _Method(
        member.name,
        _struct_node(member.input),
        _struct_node(member.output),
        text[member.at : member.end],
        member.doc,
    )


def _struct_node(struct: tree.Struct) -> _Struct:
    return _Struct(OrderedDict((field.name, _node(field.type)) for field in struct.fields))


def _node(of: tree.Type) -> Node:
    match of:
        case tree.Primitive.BOOL:
            return False
        case tree.Primitive.INT:
            return 0
        case tree.Primitive.FLOAT:
            return 0.0
        case tree.Primitive.STRING:
            return ""
        case tree.Primitive():
            return _Object()
        case tree.Array(element):
            return _Array(_node(element))
        case tree.Map(element):
            return set() if tree.is_set(of) else _Dict(_node(element))
        case tree.Nullable(element):
            return _Maybe(_node(element))
        case tree.Named(name):
            return _CustomType(name)
        case tree.Struct():
            return _struct_node(of)
        case tree.Enum(values):
            return _Enum(OrderedDict.fromkeys(value.name for value in values).keys())


def tree_from_nodes(name: str, doc: str, members: Iterable[Member]) -> tree.Interface:
    """The tree of an interface that was read by the Scanner.

    The Scanner lets more pass than a tree can say. A type declared as neither struct nor enum
    stays what it is; a method or an error that takes an enum or a plain type, with which no call
    can be made, takes nothing. References may lead to names that are not declared.
    """
    return tree.Interface(name, _plain_doc(doc), tuple(_tree_member(m) for m in members))


def _plain_doc(doc: str | None) -> str:
    """Without the blank between ``#`` and the text, which nodes keep."""
    return "\n".join(line.removeprefix(" ") for line in doc.split("\n")) if doc else ""


def _tree_member(member: Member) -> tree.Member:
    doc = _plain_doc(member.doc)
    if isinstance(member, _Method):
        return tree.Method(member.name, _struct(member.in_type), _struct(member.out_type), doc)
    if isinstance(member, _Error):
        return tree.Error(member.name, _struct(member.type), doc)
    return tree.TypeDeclaration(member.name, _type(member.type), doc)


def _struct(node: Node) -> tree.Struct:
    of = _type(node)
    return of if isinstance(of, tree.Struct) else _EMPTY


def _type(node: Node) -> tree.Type:
    match node:
        case bool():  # before int, of which it is a kind
            return tree.Primitive.BOOL
        case int():
            return tree.Primitive.INT
        case float():
            return tree.Primitive.FLOAT
        case str():
            return tree.Primitive.STRING
        case set():
            return tree.Map(_EMPTY)
        case _Array():
            return tree.Array(_type(node.element_type))
        case _Dict():
            return tree.Map(_type(node.element_type))
        case _Maybe():
            element = _type(node.element_type)
            return element if isinstance(element, tree.Nullable) else tree.Nullable(element)
        case _CustomType():
            return tree.Named(node.name)
        case _Struct():
            return tree.Struct(tuple(tree.Field(name, _type(field)) for name, field in node.fields.items()))
        case _Enum():
            return tree.Enum(tuple(tree.EnumValue(name) for name in node.fields))
        case _Object():
            return tree.Primitive.OBJECT
