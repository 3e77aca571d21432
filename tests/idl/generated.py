"""Makes generated modules, and imports them."""

from __future__ import annotations

import itertools
import sys
from types import ModuleType
from typing import Any

from fastvarlink._core.schema import Checker
from fastvarlink.idl import generate, tree

HEAD = "interface org.example.users\n"
VARIANTS: list[dict[str, Any]] = [
    {"structs": structs, "enums": enums}
    for structs in ("dataclass", "typeddict")
    for enums in ("literal", "enum")
]
_numbers = itertools.count()


def load(text: str, **options: Any) -> ModuleType:
    """The module that is generated from a definition, imported."""
    module = ModuleType(f"generated_{next(_numbers)}")
    # Dataclasses and TypedDicts look their module up.
    sys.modules[module.__name__] = module
    exec(compile(generate(text, **options), module.__name__, "exec"), vars(module))
    return module


def checker_of(module: ModuleType, place: str) -> Checker:
    """The checker of a declared type or error, or of ``Method.input`` or ``Method.output``."""
    name, _, side = place.partition(".")
    for member in module.DEFINITION.interface.tree.members:
        if member.name == name:
            of = getattr(member, side) if isinstance(member, tree.Method) else member.type
            checker: Checker = module.DEFINITION.checkers.of(of, place)
            return checker
    raise LookupError(place)


def places(interface: tree.Interface) -> list[tuple[str, tree.Type]]:
    """What checker_of() knows, with its types."""
    found: list[tuple[str, tree.Type]] = []
    for member in interface.members:
        if isinstance(member, tree.Method):
            found += [(f"{member.name}.input", member.input), (f"{member.name}.output", member.output)]
        else:
            found.append((member.name, member.type))
    return found
