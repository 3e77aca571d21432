"""An interface with everything that annotations can say. Its text is in TEXT."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, NewType, NotRequired, Optional, TypedDict

import fastvarlink

UserName = NewType("UserName", str)
Count = Annotated[int, "of things"]


class Color(enum.Enum):
    """What it looks like."""

    # Like blood.
    red = "red"
    green = "green"


class Level(enum.IntEnum):
    low = 1
    high = 2


@dataclass
class Place:
    lat: float
    lon: float


@dataclass
class User:
    """Someone who may log in.

    Or not.
    """

    # What they are called,
    # at most.
    name: UserName
    color: Color
    home: Place | None = None
    """Where they live."""
    friends: list[User] = field(default_factory=list)
    class_: str | None = None
    groups: set[str] = field(default_factory=set)
    secret: str = field(default="", init=False)


class Range(TypedDict):
    low: int
    # Without it, there is no end.
    high: NotRequired[int]


class Taken(fastvarlink.InterfaceError):
    """The name is in use."""

    by: User
    error_: str | None = None


@fastvarlink.interface("org.example.declared", errors=[Taken])
class Declared:
    """Everything.

    And more.
    """

    class NotFound(fastvarlink.InterfaceError):
        """There is none."""

        # Who was asked for.
        name: str

    @fastvarlink.method(returns="user")
    def Get(
        self,
        # Their name.
        name: UserName,
        level: Level = Level.low,
    ) -> User:
        """Gets one."""
        raise self.NotFound(name=name)

    def Find(self, range: Range | None, names: Sequence[str], _more: bool = False) -> Range:
        return {"low": 1}

    @fastvarlink.method
    def list_all_users(self) -> Iterator[User]:
        yield User(UserName("a"), Color.red)

    @fastvarlink.method(name="Other", returns="n")
    def another(self, kind: Literal["a", "b"], from_: Optional[Count], *, _method: Any = None) -> int | None:  # noqa: UP045
        return None

    @staticmethod
    def Values(
        anything: Any,
        maybe: Any | None,
        it: dict,
        them: dict[str, Any],
        each: Mapping[str, Any],
        flag: bool,  # type: ignore[type-arg]
    ) -> None:
        """Takes values."""

    def not_offered(self) -> int:
        return 1

    def _Hidden(self) -> int:
        return 1


TEXT = """\
# Everything.
#
# And more.
interface org.example.declared

type Level (low, high)

# Someone who may log in.
#
# Or not.
type User (
  # What they are called,
  # at most.
  name: string,
  color: Color,
  # Where they live.
  home: ?Place,
  friends: []User,
  class: ?string,
  groups: [string]()
)

# What it looks like.
type Color (
  # Like blood.
  red,
  green
)

type Place (lat: float, lon: float)

type Range (
  low: int,
  # Without it, there is no end.
  high: ?int
)

# Gets one.
method Get(
  # Their name.
  name: string,
  level: ?Level
) -> (user: User)

method Find(range: ?Range, names: []string) -> (
  low: int,
  # Without it, there is no end.
  high: ?int
)

method ListAllUsers() -> (
  # What they are called,
  # at most.
  name: string,
  color: Color,
  # Where they live.
  home: ?Place,
  friends: []User,
  class: ?string,
  groups: [string]()
)

method Other(kind: (a, b), from: ?int) -> (n: ?int)

# Takes values.
method Values(
  anything: any,
  maybe: ?any,
  it: object,
  them: object,
  each: [string]any,
  flag: bool
) -> ()

# There is none.
error NotFound (
  # Who was asked for.
  name: string
)

# The name is in use.
error Taken (by: User, error: ?string)
"""
