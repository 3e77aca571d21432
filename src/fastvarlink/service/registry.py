"""Dicts that tell when they change: a service's interfaces may be edited by anyone at any time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

_Value = TypeVar("_Value")


class Registry(dict[str, _Value]):
    """A dict that calls ``changed()`` after each change."""

    def __init__(self, changed: Callable[[], None], *args: Any) -> None:
        super().__init__(*args)
        self._changed = changed

    def __setitem__(self, key: str, value: _Value) -> None:
        super().__setitem__(key, value)
        self._changed()

    def __delitem__(self, key: str) -> None:
        super().__delitem__(key)
        self._changed()

    def __ior__(self, other: Any) -> Registry[_Value]:  # type: ignore[override, misc]
        self.update(other)
        return self

    def clear(self) -> None:
        super().clear()
        self._changed()

    def pop(self, *args: Any) -> Any:
        value = super().pop(*args)
        self._changed()
        return value

    def popitem(self) -> tuple[str, _Value]:
        item = super().popitem()
        self._changed()
        return item

    def setdefault(self, *args: Any) -> Any:
        value = super().setdefault(*args)
        self._changed()
        return value

    def update(self, *args: Any, **kwargs: Any) -> None:
        super().update(*args, **kwargs)
        self._changed()
