"""A service that takes and gives values of every type: by handlers of dicts, or of typed objects."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import fastvarlink

VALUES = "org.example.values"


class Color(enum.Enum):
    red = "red"
    green = "green"


@dataclass
class Address:
    zip: str
    street: str | None = None


@dataclass
class User:
    name: str
    address: list[Address]
    color: Color
    by_name: dict[str, Address] | None = None
    tags: set[str] | None = None
    parent: User | None = None


class Broken(fastvarlink.InterfaceError):
    at: Address
    count: int


@fastvarlink.interface(VALUES, errors=[Broken])
class TypedValues:
    """Takes and gives typed objects; ``returned`` and ``raised`` are what a test wants it to do."""

    def __init__(self) -> None:
        self.calls = 0
        self.returned: Any = None
        self.raised: Exception | None = None

    def _pass(self, value: Any) -> Any:
        self.calls += 1
        if self.raised is not None:
            raise self.raised
        return value if self.returned is None else self.returned

    @fastvarlink.method(returns="user")
    def Know(self, user: User) -> User:
        result: User = self._pass(user)
        return result

    @fastvarlink.method(returns="n")
    def Int(self, n: int) -> int:
        return int(self._pass(n)) if self.returned is None else self._pass(n)  # type: ignore[no-any-return]

    @fastvarlink.method(returns="x")
    def Float(self, x: float) -> float:
        result: float = self._pass(x)
        return result

    @fastvarlink.method(returns="flag")
    def Bool(self, flag: bool) -> bool:
        result: bool = self._pass(flag)
        return result

    @fastvarlink.method(returns="text")
    def String(self, text: str) -> str:
        result: str = self._pass(text)
        return result

    @fastvarlink.method(returns="some")
    def Maybe(self, some: int | None = None) -> int | None:
        result: int | None = self._pass(some)
        return result

    @fastvarlink.method(returns="lists")
    def Lists(self, lists: list[int] | None = None) -> list[int] | None:
        result: list[int] | None = self._pass(lists)
        return result

    @fastvarlink.method(returns="it")
    def Object(self, it: dict[str, Any]) -> dict[str, Any]:
        result: dict[str, Any] = self._pass(it)
        return result

    @fastvarlink.method(returns="it")
    def Anything(self, it: Any) -> Any:
        return self._pass(it)

    @fastvarlink.method(returns="sizes")
    def Sizes(self, sizes: Mapping[str, list[int]]) -> Mapping[str, list[int]]:
        result: Mapping[str, list[int]] = self._pass(sizes)
        return result

    @fastvarlink.method(returns="choice")
    def Choose(self, choice: Literal["a", "b"]) -> Literal["a", "b"]:
        result: Literal["a", "b"] = self._pass(choice)
        return result


_definition = fastvarlink.Definition(TypedValues.__varlink_definition__.interface.description)  # type: ignore[attr-defined]
DESCRIPTION = _definition.interface.description


class DictValues:
    """The same with dicts, as programs for the package varlink have it."""

    def __init__(self) -> None:
        self.calls = 0
        self.returned: Any = None
        self.raised: Exception | None = None

    def _pass(self, **result: Any) -> dict[str, Any]:
        self.calls += 1
        if self.raised is not None:
            raise self.raised
        ((name, value),) = result.items()
        return {name: value if self.returned is None else self.returned}

    def Know(self, user: Any) -> dict[str, Any]:
        return self._pass(user=user)

    def Int(self, n: Any) -> dict[str, Any]:
        return self._pass(n=n)

    def Float(self, x: Any) -> dict[str, Any]:
        return self._pass(x=x)

    def Bool(self, flag: Any) -> dict[str, Any]:
        return self._pass(flag=flag)

    def String(self, text: Any) -> dict[str, Any]:
        return self._pass(text=text)

    def Maybe(self, some: Any) -> dict[str, Any]:
        return self._pass(some=some)

    def Lists(self, lists: Any) -> dict[str, Any]:
        return self._pass(lists=lists)

    def Object(self, it: Any) -> dict[str, Any]:
        return self._pass(it=it)

    def Anything(self, it: Any) -> dict[str, Any]:
        return self._pass(it=it)

    def Sizes(self, sizes: Any) -> dict[str, Any]:
        return self._pass(sizes=sizes)

    def Choose(self, choice: Any) -> dict[str, Any]:
        return self._pass(choice=choice)


def make_values(kind: str, **options: Any) -> tuple[fastvarlink.Service, Any]:
    """A service, and the object that handles its calls. ``kind`` is "typed" or "dicts"."""
    service = fastvarlink.Service(**options)
    handler: Any
    if kind == "typed":
        handler = service.interface(TypedValues())
    else:
        handler = DictValues()
        service.interface(DESCRIPTION)(lambda: handler)
    return service, handler
