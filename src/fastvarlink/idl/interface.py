"""The class Interface: an interface definition, read."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Set
from types import SimpleNamespace
from typing import Any, Self

from fastvarlink.error import InvalidParameter, MethodNotFound
from fastvarlink.idl import scanner, tree
from fastvarlink.idl.convert import nodes_from_tree, tree_from_nodes
from fastvarlink.idl.parser import parse

__all__ = ["Interface"]


class Interface:
    """An interface definition: ``description`` is its text, ``name`` and ``doc`` what it says.

    ``Interface(text)`` judges the text as the package ``varlink`` does, by its Scanner.
    ``Interface.from_specification(text)`` goes by the specification.
    """

    description: str
    name: str
    doc: str

    def __init__(self, description: str) -> None:
        """Read ``description`` with the Scanner; SyntaxError when that refuses it."""
        self.description = description
        self._tree: tree.Interface | None = None
        # Programs replace the class or parts of it, so it is looked up at each use.
        reader = scanner.Scanner(description)
        reader.expect("interface")
        self.name = reader.expect("interface-name")
        self.doc = reader.current_doc
        reader.current_doc = ""
        self._members: OrderedDict[str, scanner.Member] | None = OrderedDict()
        while not reader.end():
            member = reader.read_member()
            self._members[member.name] = member

    @classmethod
    def from_specification(cls, description: str, filename: str | None = None) -> Self:
        """Read ``description`` to the specification's grammar; IdlSyntaxError when it is broken.

        ``filename`` is what errors call it. Does not call ``__init__``.
        """
        parsed = parse(description, filename)
        self = cls.__new__(cls)
        self.description = description
        self.name = parsed.name
        self.doc = parsed.doc
        self._tree = parsed
        self._members = None
        return self

    @classmethod
    def read(cls, description: str, filename: str | None = None) -> Self:
        """Read a definition that is used on a wire: as from_specification() does.

        What the specification refuses goes to the Scanner if a program has patched that: it wants
        other names to be accepted.
        """
        try:
            return cls.from_specification(description, filename)
        except SyntaxError:
            if scanner.is_patched():
                return cls(description)
            raise

    @property
    def members(self) -> OrderedDict[str, scanner.Member]:
        """The types, methods and errors, by name, in the order of the text.

        They are instances of the classes in ``fastvarlink.idl.scanner``.
        """
        if self._members is None:
            self._members = nodes_from_tree(self.tree, self.description)
        return self._members

    @members.setter
    def members(self, members: OrderedDict[str, scanner.Member]) -> None:
        self._members = members
        self._tree = None

    @property
    def tree(self) -> tree.Interface:
        """The syntax tree. When the Scanner read the text, made of ``members`` at the first use."""
        if self._tree is None:
            self._tree = tree_from_nodes(self.name, self.doc, self.members.values())
        return self._tree

    def get_description(self) -> str:
        """The text, as it was given."""
        return self.description

    def get_method(self, name: str) -> scanner._Method:
        """The method of that name; MethodNotFound if there is none."""
        method = self.members.get(name)
        if isinstance(method, scanner._Method):
            return method
        raise MethodNotFound(name)

    def filter_params(
        self, parent_name: str, varlink_type: Any, _namespaced: bool, args: Any, kwargs: Any
    ) -> Any:
        """``args`` and ``kwargs`` brought into the shape of ``varlink_type``, a node.

        A tuple fills the fields of a struct in their order, ``kwargs`` the ones left; a mapping or
        an object fills them by name. What has no field is dropped, as is a field without a value.
        Numbers are converted, floats to ints by rounding. With ``_namespaced`` structs become
        SimpleNamespace. InvalidParameter, with the path that begins with ``parent_name``, for a
        value that does not fit.
        """
        match varlink_type:
            case scanner._Maybe():
                if args is None:
                    return None
                element = varlink_type.element_type
                return self.filter_params(parent_name, element, _namespaced, args, kwargs)
            case scanner._CustomType():
                found = self.members.get(varlink_type.name)
                return self.filter_params(parent_name, found, _namespaced, args, kwargs)
            case scanner._Alias():
                return self.filter_params(parent_name, varlink_type.type, _namespaced, args, kwargs)
            case scanner._Object():
                return args
            case scanner._Enum():
                if isinstance(args, str) and args in varlink_type.fields:
                    return args
            case scanner._Dict():
                if args is None:
                    return {}
                if isinstance(args, Mapping) and all(isinstance(key, str) for key in args):
                    of = varlink_type.element_type
                    return {
                        key: self.filter_params(f"{parent_name}[{key}]", of, _namespaced, v, None)
                        for key, v in args.items()
                    }
            case scanner._Array():
                if args is None:
                    return []
                if _is_collection(args) and not isinstance(args, Mapping):
                    of = varlink_type.element_type
                    inner = f"{parent_name}[]"
                    return [self.filter_params(inner, of, _namespaced, v, None) for v in args]
            case scanner._Struct():
                return self._filter_struct(parent_name, varlink_type, _namespaced, args, kwargs)
            case Set():
                if _is_collection(args) and all(isinstance(element, str) for element in args):
                    return set(args)
            case str():
                if isinstance(args, str):
                    return args
            case int() | float():
                return _number(parent_name, varlink_type, args)
        raise InvalidParameter(parent_name)

    def _filter_struct(
        self, parent_name: str, struct: scanner._Struct, _namespaced: bool, args: Any, kwargs: Any
    ) -> Any:
        given: Mapping[str, Any]
        if isinstance(args, tuple):
            # Positions first, keywords for what they leave over.
            given = {**(kwargs or {}), **dict(zip(struct.fields, args, strict=False))}
        elif not args:
            given = {}
        elif isinstance(args, Mapping):
            given = args
        elif isinstance(args, str | bytes | int | float | list | Set):
            raise InvalidParameter(parent_name)
        else:
            given = {name: getattr(args, name) for name in struct.fields if hasattr(args, name)}
        out = {}
        for name, node in struct.fields.items():
            if name in given:
                path = f"{parent_name}.{name}"
                value = self.filter_params(path, node, _namespaced, given[name], None)
                if value is not None:
                    out[name] = value
        return SimpleNamespace(**out) if _namespaced else out


def _is_collection(value: Any) -> bool:
    return isinstance(value, Iterable) and not isinstance(value, str | bytes)


def _number(parent_name: str, like: bool | int | float, value: Any) -> Any:
    """A number for a bool, an int or a float, whichever ``like`` is an instance of."""
    if not isinstance(value, int | float):
        raise InvalidParameter(parent_name)
    try:
        if isinstance(like, float):
            return float(value)
        if isinstance(like, bool) and isinstance(value, bool):
            return value
        return math.floor(value + 0.5) if isinstance(value, float) else int(value)
    except (OverflowError, ValueError):
        raise InvalidParameter(parent_name) from None
