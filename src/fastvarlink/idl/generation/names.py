"""What things of an interface are called in Python.

Names of an interface never end with an underscore, so a name that Python or the module needs for itself gets
one behind it, and that hides no other.
"""

from __future__ import annotations

import keyword
from collections.abc import Iterator, Sequence

from fastvarlink.error import RESERVED
from fastvarlink.idl import tree
from fastvarlink.idl.generation.imports import CLASSES

__all__ = ["ModuleNames", "enum_member", "parameter", "stem"]

# What a class of the module must not be called.
_TAKEN = CLASSES | {"DEFINITION"}
# What annotations are made of: a field of this name would stand for it in its class.
_BUILTIN = {"bool", "dict", "float", "int", "list", "set", "str"}


def parameter(name: str) -> str:
    """What a parameter of a method is called."""
    # Methods use the module fastvarlink.
    return f"{name}_" if keyword.iskeyword(name) or name in {"self", "fastvarlink"} else name


def enum_member(name: str) -> str:
    """What a member of an enum.Enum is called."""
    return f"{name}_" if keyword.iskeyword(name) or name in {"mro", "name", "value"} else name


def stem(interface_name: str) -> str:
    """The last part of an interface's name in capitalised words: org.example.user-db gives UserDb."""
    words = interface_name.rpartition(".")[2].split("-")
    name = "".join(word[:1].upper() + word[1:] for word in words)
    return name if name[:1].isalpha() else f"Interface{name}"


def _free(name: str) -> str:
    """A name, with an underscore behind it if the module or Python needs it."""
    return f"{name}_" if name in _TAKEN or keyword.iskeyword(name) else name


def _field_names(node: tree.Member | tree.Type) -> Iterator[str]:
    """The names of all fields in a member or a type."""
    match node:
        case tree.Struct(fields):
            for field in fields:
                yield field.name
                yield from _field_names(field.type)
        case tree.Array(element) | tree.Map(element) | tree.Nullable(element):
            yield from _field_names(element)
        case tree.TypeDeclaration() | tree.Error():
            yield from _field_names(node.type)
        case tree.Method():
            yield from _field_names(node.input)
            yield from _field_names(node.output)


class ModuleNames:
    """The names at the top of a generated module, each given once."""

    def __init__(self, members: Sequence[tree.Member]) -> None:
        # Methods are no names of the module, but in its classes they hide what is. So do attributes: those
        # with an underscore hide a class that has one.
        methods = {_free(member.name) for member in members if isinstance(member, tree.Method)}
        attributes = {f"{name}_" for member in members for name in _field_names(member)}
        self._given = {*_TAKEN, *(member.name for member in members), *methods, *attributes}
        self._classes: set[str] = set()
        self._declared: dict[str, str] = {}
        for member in members:
            called = _free(member.name)
            if not isinstance(member, tree.Method):
                if called != member.name:
                    called = self.new(member.name)
                self._classes.add(called)
            self._declared[member.name] = called

    def declared(self, name: str) -> str:
        """What a declared type, an error or a method is called."""
        return self._declared[name]

    def new(self, name: str) -> str:
        """A name for a class that has none in the interface."""
        while name in self._given:
            name += "_"
        self._given.add(name)
        self._classes.add(name)
        return name

    def attribute(self, name: str, of_error: bool = False) -> str:
        """What a field is called as an attribute of a class."""
        hides = name in _BUILTIN or name in self._classes or (of_error and name in RESERVED)
        return f"{name}_" if hides else _free(name)
