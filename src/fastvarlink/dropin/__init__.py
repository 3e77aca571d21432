"""``install()``: make ``import varlink`` mean fastvarlink in the running process.

The names are aliases, not copies: ``varlink.client`` is the module ``fastvarlink.client`` itself.
What fastvarlink does not have, such as ``varlink.tests``, is taken from the original package where
that is installed; its own code then runs on fastvarlink.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import unittest
from collections.abc import Sequence
from importlib.abc import InspectLoader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, ModuleType

__all__ = ["install", "load_tests"]

ORIGINAL = "varlink"
OURS = "fastvarlink"
# Imported at once, so that they are attributes of the package as they are in the original. The rest
# of the package, mock and cli above all, is loaded when it is first asked for.
AT_ONCE = ("client", "error", "scanner", "server")


class _Alias(InspectLoader):
    """Loads a ``varlink`` module by handing out the ``fastvarlink`` module of the same name."""

    def __init__(self, spec: ModuleSpec) -> None:
        self._spec = spec

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        # The import system takes what stands in sys.modules after this call. Returning our module
        # from create_module instead would have its __spec__ overwritten.
        sys.modules[module.__name__] = importlib.import_module(self._spec.name)

    # What runpy asks for, so that "-m varlink.cli" works.

    def is_package(self, fullname: str) -> bool:
        return self._spec.submodule_search_locations is not None

    def get_source(self, fullname: str) -> str | None:
        loader = self._spec.loader
        return loader.get_source(self._spec.name) if isinstance(loader, InspectLoader) else None

    def get_code(self, fullname: str) -> CodeType | None:
        loader = self._spec.loader
        return loader.get_code(self._spec.name) if isinstance(loader, InspectLoader) else None


class _Finder(MetaPathFinder):
    """Finds the submodules of ``varlink``: ours first, then those of the original package."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        package, _, inner = fullname.partition(".")
        if package != ORIGINAL or not inner:
            return None
        ours = _find_ours(f"{OURS}.{inner}")
        if ours is not None:
            spec = ModuleSpec(fullname, _Alias(ours), origin=ours.origin)
            spec.submodule_search_locations = ours.submodule_search_locations
            spec.has_location = ours.has_location
            return spec
        if "." in inner:
            # Below a package of the original, whose own path leads on; below ours there is no more.
            return None
        original = _find_elsewhere(ORIGINAL, None)
        if original is None or original.submodule_search_locations is None:
            return None
        return _find_elsewhere(fullname, list(original.submodule_search_locations))


_FINDER = _Finder()


def _find_ours(name: str) -> ModuleSpec | None:
    try:
        return importlib.util.find_spec(name)
    except ModuleNotFoundError:
        # A parent of the name does not exist, or is no package.
        return None


def _find_elsewhere(name: str, path: Sequence[str] | None) -> ModuleSpec | None:
    """What the other finders have under the name. Nothing is imported."""
    for finder in sys.meta_path:
        if finder is _FINDER:
            continue
        spec = finder.find_spec(name, path)
        if spec is not None:
            return spec
    return None


def install() -> None:
    """Make ``import varlink`` and its submodules mean fastvarlink from now on, in this process.

    Works whether or not the original package is installed or already imported. Names that were
    bound before the call, as by an earlier ``from varlink import Client``, keep the original, so
    call it first. Calling it again does nothing.
    """
    package = sys.modules[OURS]
    if _FINDER not in sys.meta_path:
        sys.meta_path.insert(0, _FINDER)
    if sys.modules.get(ORIGINAL) is package:
        return
    for name in [name for name in sys.modules if name.startswith(f"{ORIGINAL}.")]:
        del sys.modules[name]
    sys.modules[ORIGINAL] = package
    for name in AT_ONCE:
        sys.modules[f"{ORIGINAL}.{name}"] = importlib.import_module(f"{OURS}.{name}")


def load_tests(
    loader: unittest.TestLoader, tests: unittest.TestSuite, pattern: str | None
) -> unittest.TestSuite:
    """unittest's hook: adds the tests of the original package, where it is installed, to ``tests``."""
    original = _find_elsewhere(ORIGINAL, None)
    if original is not None and original.submodule_search_locations:
        install()
        for location in original.submodule_search_locations:
            for path in sorted(Path(location, "tests").glob(pattern or "test_*.py")):
                module = importlib.import_module(f"{ORIGINAL}.tests.{path.stem}")
                tests.addTests(loader.loadTestsFromModule(module))
    return tests
