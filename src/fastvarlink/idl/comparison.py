"""Compares two versions of an interface: what changed, and what of it breaks whom (rule I11).

Two kinds of programs were written for the old version and meet the new one. Callers send parameters by the
old definition; the service refuses parameters that it does not know, and misses those that it needs. Readers
read replies and errors by the old definition; they ignore fields that they do not know.

Types are compared by what they are on the wire, where no names of types are seen. Documentation and comments
count for nothing. Where a change is, its ``path`` says:

    interface                the interface's name
    method List, type User   a member as a whole
    List(user.address)       among the parameters of a method
    List() -> users[].name   in its result; [] are the elements of an array, [string] the values of a map
    error NotFound: id       among the parameters of an error
    type User: address.zip   in a declared type, reported once wherever it is used
    type User/Person: name   in what is User in the old version and Person in the new one, at the same place
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from fastvarlink.idl import tree

__all__ = ["Change", "Impact", "compare"]


class Impact(enum.Enum):
    """What a change does to a program that was written for the old version."""

    COMPATIBLE = "compatible"
    BREAKING = "breaking"


COMPATIBLE, BREAKING = Impact


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: ``message`` says what, ``reason`` why it breaks programs or does not."""

    path: str
    message: str
    reason: str
    callers: Impact
    readers: Impact

    @property
    def breaking(self) -> bool:
        """Whether it breaks any program."""
        return BREAKING in {self.callers, self.readers}

    def __str__(self) -> str:
        return f"{self.path}: {self.message} {self.reason}"


def compare(old: tree.Interface, new: tree.Interface) -> list[Change]:
    """What is different in the new version of an interface.

    In the order of the old text; what is new comes last, among members as among fields. Both trees must be
    such as parse() returns: LookupError if one uses a name that it does not declare.
    """
    return list(_Comparison(old, new).changes())


class _Effect(NamedTuple):
    """What a difference does where callers send the type, and where readers receive it."""

    callers: Impact
    to_callers: str
    readers: Impact
    to_readers: str


_IGNORED = "Readers ignore fields that they do not know."
_NEW_NULLABLE = _Effect(COMPATIBLE, "Callers may leave it out.", COMPATIBLE, _IGNORED)
_NEW_REQUIRED = _Effect(BREAKING, "Callers do not send it, and the service needs it.", COMPATIBLE, _IGNORED)
_REMOVED = _Effect(
    BREAKING,
    "The service refuses what it does not know.",
    BREAKING,
    "Readers that look for it do not find it.",
)
_RETYPED = _Effect(BREAKING, "Callers send the old type.", BREAKING, "Readers expect the old type.")
_NOW_REQUIRED = _Effect(
    BREAKING,
    "Callers may leave it out or send null.",
    COMPATIBLE,
    "Readers that can do without also take it.",
)
_NOW_NULLABLE = _Effect(
    COMPATIBLE, "Callers that always send it may go on.", BREAKING, "Readers expect that it is always there."
)
_NEW_VALUE = _Effect(COMPATIBLE, "Callers do not send it.", BREAKING, "Readers do not know it.")
_REMOVED_VALUE = _Effect(BREAKING, "Callers may send it.", COMPATIBLE, "Readers do not meet it any more.")
_RENAMED = _Effect(
    COMPATIBLE, "The wire shows no names of types.", COMPATIBLE, "The wire shows no names of types."
)
_MOVED = _Effect(
    COMPATIBLE,
    "The wire knows fields by name; programs that pass them by position must change.",
    COMPATIBLE,
    "",
)


class _Side(enum.Flag):
    """Whose programs meet a type."""

    NOBODY = 0
    CALLERS = enum.auto()
    READERS = enum.auto()
    BOTH = CALLERS | READERS


_Pair = tuple[str, str]  # names of types, in the old and the new version


@dataclass(slots=True)
class _Part:
    """What is compared at one go: parameters, a result, or a type that has a name in both versions."""

    whole: str  # the path of the part itself
    inside: str  # what stands before the path of a field in it
    behind: str = ""
    sides: _Side = _Side.NOBODY
    ordered: bool = False  # whether programs go by the order of its fields
    differences: list[tuple[str, str, _Effect]] = field(default_factory=list)
    uses: list[_Pair] = field(default_factory=list)

    def add(self, place: str, message: str, effect: _Effect) -> None:
        path = f"{self.inside}{place}{self.behind}" if place else self.whole
        self.differences.append((path, message, effect))

    def changes(self) -> Iterator[Change]:
        for path, message, effect in self.differences:
            callers = effect.callers if _Side.CALLERS in self.sides else COMPATIBLE
            readers = effect.readers if _Side.READERS in self.sides else COMPATIBLE
            reasons = {_Side.CALLERS: effect.to_callers, _Side.READERS: effect.to_readers}
            # Each once: they may be the same.
            reason = " ".join(dict.fromkeys(said for side, said in reasons.items() if side in self.sides))
            yield Change(path, message, reason, callers, readers)


class _Comparison:
    def __init__(self, old: tree.Interface, new: tree.Interface) -> None:
        self._old = old
        self._new = new
        self._old_types = _types(old)
        self._new_types = _types(new)
        self._members = {_key(member): member for member in new.members}
        self._named: dict[_Pair, _Part] = {}
        self._waiting: list[_Pair] = []
        self._replaced: set[str] = set()  # types of the old version, where another stands in the new one
        self._parts: dict[str, list[_Part]] = {}  # by the name of the old member

    def changes(self) -> Iterator[Change]:
        if self._old.name != self._new.name:
            message = f"The interface is called {self._new.name}, it was {self._old.name}."
            reason = "Its methods and errors have other names."
            yield Change("interface", message, reason, BREAKING, BREAKING)
        self._compare_members()
        for member in self._old.members:
            if _key(member) not in self._members:
                yield self._removed(member)
            for part in self._parts.get(member.name, ()):
                yield from part.changes()
        known = {_key(member) for member in self._old.members}
        for member in self._new.members:
            if _key(member) not in known:
                keyword = _keyword(member)
                reason = "Programs for the old version do not use it."
                yield Change(
                    f"{keyword} {member.name}", f"The {keyword} is new.", reason, COMPATIBLE, COMPATIBLE
                )

    def _removed(self, member: tree.Member) -> Change:
        keyword = _keyword(member)
        message = f"The {keyword} was removed."
        callers = readers = COMPATIBLE
        if isinstance(member, tree.Method):
            callers, reason = BREAKING, "Callers cannot call it any more."
        elif isinstance(member, tree.Error):
            readers, reason = BREAKING, "Readers that handle it do not get it any more."
        elif member.name in self._replaced:
            reason = "Where it was used there is another type, and what is different in it is told there."
        else:
            callers = readers = BREAKING
            reason = "Programs that were generated from the definition use it."
        return Change(f"{keyword} {member.name}", message, reason, callers, readers)

    # ---- which types meet at which places

    def _compare_members(self) -> None:
        for member in self._old.members:
            other = self._members.get(_key(member))
            parts = self._parts.setdefault(member.name, [])
            if isinstance(member, tree.Method) and isinstance(other, tree.Method):
                name = member.name
                received = _Part(f"{name}()", f"{name}(", ")", _Side.CALLERS, ordered=True)
                self._compare(received, "", member.input, other.input)
                returned = _Part(f"{name}() ->", f"{name}() -> ", sides=_Side.READERS)
                self._compare(returned, "", member.output, other.output)
                parts += [received, returned]
            elif isinstance(member, tree.Error) and isinstance(other, tree.Error):
                error = _Part(f"error {member.name}", f"error {member.name}: ", sides=_Side.READERS)
                self._compare(error, "", member.type, other.type)
                parts.append(error)
        self._compare_waiting()
        self._spread([part for parts in self._parts.values() for part in parts])
        # Types that no method and no error uses may be meant for anyone.
        for name in self._old_types:
            if name in self._new_types and (name, name) not in self._named:
                self._use((name, name))
        self._compare_waiting()
        for (name, _), part in self._named.items():
            part.sides = part.sides or _Side.BOTH
            self._parts[name].append(part)

    def _use(self, pair: _Pair) -> None:
        if pair not in self._named:
            old, new = pair
            label = old if old == new else f"{old}/{new}"
            self._named[pair] = _Part(f"type {label}", f"type {label}: ")
            self._waiting.append(pair)

    def _compare_waiting(self) -> None:
        """Compare the named types that have been met, one after another: they may form long chains."""
        while self._waiting:
            old, new = pair = self._waiting.pop()
            was, is_ = _declared(old, self._old_types), _declared(new, self._new_types)
            self._compare(self._named[pair], "", was, is_)

    def _spread(self, parts: list[_Part]) -> None:
        """Whoever meets a type meets the types that it uses."""
        while parts:
            part = parts.pop()
            for pair in part.uses:
                used = self._named[pair]
                if part.sides not in used.sides:
                    used.sides |= part.sides
                    parts.append(used)

    # ---- one type and another

    def _compare(self, part: _Part, place: str, old: tree.Type, new: tree.Type) -> None:
        was_nullable, old = _open(old)
        is_nullable, new = _open(new)
        if isinstance(old, tree.Named) and isinstance(new, tree.Named):
            _add_nullable(part, place, was_nullable, is_nullable)
            if old.name != new.name:
                self._replaced.add(old.name)
                part.add(place, f"The type is called {new.name}, it was called {old.name}.", _RENAMED)
            part.uses.append((old.name, new.name))
            self._use((old.name, new.name))
            return
        # Where one side only has a name, the other one becomes smaller with each step: this ends.
        also_was, was = _open(old, self._old_types)
        also_is, is_ = _open(new, self._new_types)
        _add_nullable(part, place, was_nullable or also_was, is_nullable or also_is)
        if self._is_another_kind(was, is_):
            part.add(place, f"The type is {_kind(is_)}, it was {_kind(was)}.", _RETYPED)
            return
        if isinstance(old, tree.Named):
            self._replaced.add(old.name)
            part.add(place, f"The type has no name, it was called {old.name}.", _RENAMED)
        elif isinstance(new, tree.Named):
            part.add(place, f"The type is called {new.name}, it had no name.", _RENAMED)
        match was, is_:
            case tree.Struct(), tree.Struct():
                self._compare_fields(part, place, was, is_)
            case tree.Enum(), tree.Enum():
                _compare_values(part, place, was, is_)
            case tree.Array(), tree.Array():
                self._compare(part, f"{place}[]", was.element, is_.element)
            case tree.Map(), tree.Map():
                self._compare(part, f"{place}[string]", was.element, is_.element)

    def _is_another_kind(self, old: tree.Type, new: tree.Type) -> bool:
        if isinstance(old, tree.Map) and isinstance(new, tree.Map) and tree.is_set(old) != tree.is_set(new):
            # A set and a map to what is empty as well look the same on the wire.
            return not (_is_empty(old.element, self._old_types) and _is_empty(new.element, self._new_types))
        if isinstance(old, tree.Primitive):
            return old is not new
        return type(old) is not type(new)

    def _compare_fields(self, part: _Part, place: str, old: tree.Struct, new: tree.Struct) -> None:
        before = f"{place}." if place else ""
        names = {each.name for each in old.fields}
        others = {each.name: each.type for each in new.fields}
        for each in old.fields:
            if each.name in others:
                self._compare(part, before + each.name, each.type, others[each.name])
            else:
                part.add(before + each.name, "The field was removed.", _REMOVED)
        for name, type_ in others.items():
            if name not in names:
                nullable, _ = _open(type_, self._new_types)
                message = f"The field is new and {'nullable' if nullable else 'not nullable'}."
                part.add(before + name, message, _NEW_NULLABLE if nullable else _NEW_REQUIRED)
        kept = [each.name for each in old.fields if each.name in others]
        if part.ordered and not place and list(others)[: len(kept)] != kept:
            part.add("", "The parameters stand in another order.", _MOVED)


def _add_nullable(part: _Part, place: str, old: bool, new: bool) -> None:
    if old and not new:
        part.add(place, "It is not nullable any more.", _NOW_REQUIRED)
    elif new and not old:
        part.add(place, "It is nullable now.", _NOW_NULLABLE)


def _compare_values(part: _Part, place: str, old: tree.Enum, new: tree.Enum) -> None:
    values, others = (dict.fromkeys(value.name for value in each.values) for each in (old, new))
    for name in values:
        if name not in others:
            part.add(place, f"The value {name} was removed.", _REMOVED_VALUE)
    for name in others:
        if name not in values:
            part.add(place, f"The value {name} is new.", _NEW_VALUE)


def _open(of: tree.Type, types: Mapping[str, tree.Type] | None = None) -> tuple[bool, tree.Type]:
    """Whether a type is nullable, and what it is apart from that.

    What a name stands for if there are types, the name otherwise.
    """
    nullable = False
    names = set()
    while True:
        if isinstance(of, tree.Nullable):
            nullable = True
            of = of.element
        elif types is not None and isinstance(of, tree.Named) and of.name not in names:
            names.add(of.name)
            of = _declared(of.name, types)
        else:
            return nullable, of


def _declared(name: str, types: Mapping[str, tree.Type]) -> tree.Type:
    if name not in types:
        raise LookupError(f"The type {name} is not declared in the interface.")
    return types[name]


def _is_empty(of: tree.Type, types: Mapping[str, tree.Type]) -> bool:
    nullable, what = _open(of, types)
    return not nullable and isinstance(what, tree.Struct) and not what.fields


def _kind(of: tree.Type) -> str:
    if isinstance(of, tree.Primitive):
        return of.value
    return "a set" if tree.is_set(of) else _KINDS[type(of)]


_KINDS: dict[type, str] = {
    tree.Array: "an array",
    tree.Map: "a map",
    tree.Struct: "a struct",
    tree.Enum: "an enum",
}


def _types(interface: tree.Interface) -> dict[str, tree.Type]:
    return {each.name: each.type for each in interface.members if isinstance(each, tree.TypeDeclaration)}


def _key(member: tree.Member) -> tuple[str, str]:
    return _keyword(member), member.name


def _keyword(member: tree.Member) -> str:
    if isinstance(member, tree.Method):
        return "method"
    return "error" if isinstance(member, tree.Error) else "type"
