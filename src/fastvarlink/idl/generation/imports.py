"""What a generated module imports."""

from __future__ import annotations

__all__ = ["CLASSES", "Imports"]

_FROM = {
    "collections.abc": ("AsyncIterator", "Coroutine", "Iterator", "Mapping"),
    "dataclasses": ("dataclass",),
    "typing": ("Any", "Literal", "NotRequired", "TypeAlias", "TypedDict", "overload"),
}
# Annotations and base classes: what else is imported begins with a small letter, as no class does.
CLASSES = frozenset(name for names in _FROM.values() for name in names if name[0].isupper())


class Imports:
    """Collects what is imported, as it is used."""

    def __init__(self) -> None:
        self._used: set[str] = set()

    def use(self, *names: str) -> None:
        """Import these names: ``enum``, or some of collections.abc, dataclasses and typing."""
        self._used.update(names)

    def lines(self) -> list[str]:
        """The import statements, in the order that sorters of imports want."""
        lines = ["import enum"] if "enum" in self._used else []
        for module, names in _FROM.items():
            if used := [name for name in names if name in self._used]:
                lines.append(f"from {module} import {', '.join(used)}")
        return [*lines, "", "import fastvarlink"] if lines else ["import fastvarlink"]
