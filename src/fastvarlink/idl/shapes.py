"""Python's classes for the structs and enums of an interface: how their objects are made and taken apart."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Sequence
from typing import Any

from fastvarlink._core.schema import Checker
from fastvarlink._core.shape import Factory
from fastvarlink.error import InterfaceError

__all__ = ["enum_members", "shape_enum", "shape_struct", "wire_name"]


def wire_name(attribute: str) -> str:
    """The name of the field that a parameter or an attribute stands for.

    An underscore keeps it apart from what Python has of that name. No field's name ends with one.
    """
    return attribute.removesuffix("_")


def shape_struct(checker: Checker, names: Sequence[str], cls: type[Any]) -> None:
    """Have objects of a dataclass, or of an InterfaceError, stand for a struct with fields of these names.

    An attribute is called like its field, or has an underscore behind its name. TypeError if a field has no
    attribute, or an attribute no field.
    """
    if issubclass(cls, InterfaceError):
        defaults: dict[str, Any] = {name: cls._default_of(name) for name in cls._fields()}
        needed: set[str] = set()
    elif dataclasses.is_dataclass(cls):
        fields = [field for field in dataclasses.fields(cls) if field.init]
        defaults = {field.name: _default(field) for field in fields}
        needed = {field.name for field in fields if _has_no_default(field)}
    else:
        raise TypeError(f"{cls.__qualname__} is neither a dataclass nor an InterfaceError.")
    attributes = []
    for name in names:
        attribute = name if name in defaults else f"{name}_"
        if attribute not in defaults:
            raise TypeError(f"{cls.__qualname__} has no attribute for the field {name!r}.")
        attributes.append(attribute)
    if surplus := needed.difference(attributes):
        raise TypeError(
            f"{cls.__qualname__} has attributes that are no fields: {', '.join(sorted(surplus))}."
        )
    checker.shape_struct(cls, tuple(attributes), tuple(defaults[attribute] for attribute in attributes))


def _has_no_default(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return Factory(field.default_factory)
    return None if field.default is dataclasses.MISSING else field.default


def enum_members(cls: type[enum.Enum]) -> dict[str, enum.Enum]:
    """The members of an enum by what stands for them on the wire.

    That is the value where all values are strings, the name otherwise.
    """
    if all(isinstance(member.value, str) for member in cls):
        return {member.value: member for member in cls}
    return {wire_name(member.name): member for member in cls}


def shape_enum(checker: Checker, values: Sequence[str], cls: type[enum.Enum]) -> None:
    """Have members of an enum.Enum stand for values. TypeError if they are not the same ones."""
    members = enum_members(cls)
    if set(members) != set(values):
        raise TypeError(
            f"{cls.__qualname__} has the values {', '.join(sorted(members))}, "
            f"where the interface declares {', '.join(sorted(values))}."
        )
    checker.shape_enum(members)
