"""Python's annotations as types of an interface.

    bool, int, float, str       bool, int, float, string
    Any, object                 any
    dict, dict[str, Any]        object
    dict[str, T], Mapping       [string]T
    list[T], Sequence[T]        []T
    set[str]                    [string]()
    T | None, Optional[T]       ?T
    Literal["a", "b"]           (a, b)
    an Enum                     a declared enum: of the values if all are strings, of the names otherwise
    a dataclass, a TypedDict    a declared struct

NewType, Annotated and type aliases stand for what is behind them. Classes are declared under their own names.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import enum
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, Literal, NoReturn, Union

from fastvarlink.error import Error
from fastvarlink.idl import tree
from fastvarlink.idl.shapes import enum_members, wire_name
from fastvarlink.idl.sources import class_doc, comments_of

__all__ = ["AnnotationError", "Sensitive", "TypeReader", "hints_of"]

_PRIMITIVES: dict[Any, tree.Primitive] = {
    bool: tree.Primitive.BOOL,
    int: tree.Primitive.INT,
    float: tree.Primitive.FLOAT,
    str: tree.Primitive.STRING,
    Any: tree.Primitive.ANY,
    object: tree.Primitive.ANY,
}
_ARRAYS = (list, collections.abc.Sequence, collections.abc.MutableSequence)
_MAPS = (collections.abc.Mapping, collections.abc.MutableMapping)
_SETS = (set, collections.abc.Set, collections.abc.MutableSet)


class Sensitive:
    """For ``Annotated[..., Sensitive]``: no value of the method that has it gets into a log."""


class AnnotationError(Error, TypeError):
    """An annotation that no interface can express. The message names it, and where it stands."""


def hints_of(of: Any, names: Mapping[str, Any]) -> dict[str, Any]:
    """The annotations of a class or a function, resolved. ``names`` helps where its module does not.

    AnnotationError for one that cannot be resolved.
    """
    try:
        return typing.get_type_hints(of, localns=dict(names), include_extras=True)
    except NameError as error:
        raise AnnotationError(
            f"An annotation of {of.__qualname__} uses {error.name!r}, which is not defined where "
            f"{of.__module__} is read: define it there, before the interface."
        ) from None
    except (TypeError, SyntaxError) as error:
        raise AnnotationError(f"An annotation of {of.__qualname__} cannot be read: {error}.") from None


class TypeReader:
    """Turns annotations into types, and collects the classes that have to be declared.

    ``declarations`` are these, in the order of their use; ``shapes`` the classes by the names of the types;
    ``names`` helps to resolve annotations. ``sensitive`` is set when a type is marked as Sensitive.
    """

    sensitive = False

    def __init__(self, names: Mapping[str, Any]) -> None:
        self.declarations: dict[str, tree.TypeDeclaration] = {}
        self.shapes: dict[str, type[Any]] = {}
        self.names = names
        self._classes: dict[str, type[Any]] = {}
        self._sensitive_classes: set[str] = set()

    def read(self, annotation: Any, where: str) -> tree.Type:
        """The type of an annotation. ``where`` says where it stands, for error messages."""
        self.sensitive = self.sensitive or _is_sensitive(annotation)
        plain = _plain(annotation)
        if (primitive := _PRIMITIVES.get(plain)) is not None:
            return primitive
        origin, args = typing.get_origin(plain), typing.get_args(plain)
        if origin in {Union, types.UnionType}:
            return self._union(plain, args, where)
        if origin is Literal:
            return self._literal(plain, args, where)
        if plain is dict or plain in _MAPS or origin is dict or origin in _MAPS:
            return self._map(plain, origin, args, where)
        if plain is list or plain in _ARRAYS or origin in _ARRAYS:
            return tree.Array(self.read(args[0] if args else Any, where))
        if plain in _SETS or origin in _SETS:
            if not args or _plain(args[0]) is not str:
                _refuse(plain, where, "Only sets of strings can be sent: set[str].")
            return tree.Map(tree.Struct(()))
        if isinstance(plain, type) and origin is None:
            return self._class(plain, where)
        _refuse(plain, where)

    def _union(self, plain: Any, args: tuple[Any, ...], where: str) -> tree.Type:
        others = [each for each in args if each is not type(None)]
        if len(others) != 1 or len(others) == len(args):
            _refuse(plain, where, "A union can only be of one type and None.")
        return _nullable(self.read(others[0], where))

    def _literal(self, plain: Any, args: tuple[Any, ...], where: str) -> tree.Type:
        values = [value for value in args if value is not None]
        if not values or not all(isinstance(value, str) for value in values):
            _refuse(plain, where, "A Literal can only have strings, and None.")
        literal = tree.Enum(tuple(tree.EnumValue(value) for value in values))
        return _nullable(literal) if len(values) < len(args) else literal

    def _map(self, plain: Any, origin: Any, args: tuple[Any, ...], where: str) -> tree.Type:
        if not args:
            return tree.Primitive.OBJECT
        if _plain(args[0]) is not str:
            _refuse(plain, where, "The keys of a dict can only be str.")
        if origin is dict and _plain(args[1]) is Any:
            return tree.Primitive.OBJECT
        return tree.Map(self.read(args[1], where))

    def _class(self, cls: type[Any], where: str) -> tree.Type:
        if not (issubclass(cls, enum.Enum) or dataclasses.is_dataclass(cls) or typing.is_typeddict(cls)):
            _refuse(cls, where)
        name = cls.__name__.rstrip("_")
        known = self._classes.setdefault(name, cls)
        if known is not cls:
            raise AnnotationError(
                f"{where} uses {cls.__module__}.{cls.__qualname__}, but the interface has another class "
                f"called {name}, {known.__module__}.{known.__qualname__}: rename one of them."
            )
        if name not in self.declarations:
            # Declared before it is looked into: it may contain itself.
            before, self.sensitive = self.sensitive, False
            self.declarations[name] = tree.TypeDeclaration(name, tree.Struct(()), class_doc(cls))
            body = self._enum(cls, where) if issubclass(cls, enum.Enum) else self.struct(cls)
            self.declarations[name] = dataclasses.replace(self.declarations[name], type=body)
            if not typing.is_typeddict(cls):
                self.shapes[name] = cls
            if self.sensitive:
                self._sensitive_classes.add(name)
            self.sensitive = before
        self.sensitive = self.sensitive or name in self._sensitive_classes
        return tree.Named(name)

    def _enum(self, cls: type[enum.Enum], where: str) -> tree.Enum:
        if not len(cls):
            _refuse(cls, where, "An enum needs a value.")
        docs = comments_of(cls)
        members = enum_members(cls)
        return tree.Enum(tuple(tree.EnumValue(value, docs.get(m.name, "")) for value, m in members.items()))

    def struct(self, cls: type[Any]) -> tree.Struct:
        """The fields of a dataclass or a TypedDict."""
        hints = hints_of(cls, {**self.names, **vars(cls), cls.__name__: cls})
        docs = comments_of(cls)
        rename: Callable[[str], str] = wire_name
        if typing.is_typeddict(cls):
            names, rename = list(hints), str
        else:
            names = [field.name for field in dataclasses.fields(cls) if field.init]
        fields = []
        for name in names:
            of = self.read(hints[name], f"{cls.__qualname__}.{name}")
            if typing.is_typeddict(cls) and not _is_required(cls, name, hints[name]):
                of = _nullable(of)
            fields.append(tree.Field(rename(name), of, docs.get(name, "")))
        return tree.Struct(tuple(fields))


def _is_required(cls: Any, name: str, hint: Any) -> bool:
    """Whether a TypedDict must have a key."""
    origin = str(typing.get_origin(hint))
    # What the class says of itself was said before its annotations were resolved.
    if origin in {"typing.Required", "typing.NotRequired"}:
        return origin == "typing.Required"
    return name in cls.__required_keys__


def _is_sensitive(annotation: Any) -> bool:
    """Whether the annotation itself is marked as Sensitive, or says that of what it holds."""
    if typing.get_origin(annotation) is typing.Annotated and any(
        mark is Sensitive or isinstance(mark, Sensitive) for mark in annotation.__metadata__
    ):
        return True
    if isinstance(annotation, typing.NewType):
        return _is_sensitive(annotation.__supertype__)
    return any(_is_sensitive(part) for part in typing.get_args(annotation))


def _plain(annotation: Any) -> Any:
    """What is behind Annotated, NewType, aliases, and what a TypedDict says of its keys."""
    while True:
        origin = typing.get_origin(annotation)
        if origin is typing.Annotated or str(origin) in _WRAPPERS:
            annotation = typing.get_args(annotation)[0]
        elif isinstance(annotation, typing.NewType):
            annotation = annotation.__supertype__
        elif type(annotation).__name__ == "TypeAliasType":
            annotation = annotation.__value__
        else:
            return type(None) if annotation is None else annotation


# By name, as not every version of Python has all of them.
_WRAPPERS = {"typing.Required", "typing.NotRequired", "typing.ReadOnly", "typing.Final"}


def _nullable(of: tree.Type) -> tree.Type:
    return of if isinstance(of, tree.Nullable) else tree.Nullable(of)


def _refuse(annotation: Any, where: str, why: str = "") -> NoReturn:
    shown = annotation.__qualname__ if isinstance(annotation, type) else str(annotation)
    why = why or (
        "There are bool, int, float, str, list, dict[str, T], set[str], T | None, Any, Literal, and classes "
        "that are Enums, dataclasses or TypedDicts."
    )
    raise AnnotationError(f"{where} is annotated {shown}, which no interface can express. {why}")
