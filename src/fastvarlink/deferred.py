"""Names that a package hands on and that are imported when they are first asked for.

A program pays for what it uses: the command that makes one call loads a third of the package.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module

__all__ = ["deferred"]


def deferred(
    package: str, homes: Mapping[str, str], modules: tuple[str, ...] = ()
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """The ``__getattr__`` and ``__dir__`` of a package.

    ``homes`` maps each name to the module that has it, ``modules`` are submodules which are attributes
    without having been imported.
    """

    def get(name: str) -> object:
        home = homes.get(name)
        if home is not None:
            value = getattr(import_module(home), name)
        elif name in modules:
            value = import_module(f"{package}.{name}")
        else:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        vars(sys.modules[package])[name] = value
        return value

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *homes, *modules})

    return get, names
