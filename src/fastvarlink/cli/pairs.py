r"""Parameters as words, with the types that the method declares.

    KEY=VALUE       strings and enums as they stand, all else as JSON: n=3, loud=true, point='{"x": 1}'
    KEY=ELEMENT     for an array, as often as it has elements: tags=a tags=b. What begins with [ is all of it.
    KEY.KEY=VALUE   a field of a struct or of a map
    KEY:=JSON       as it stands, whatever the type
    KEY=@FILE       the text in a file; KEY:=@FILE the JSON in one. A VALUE that begins with @ is \@...

A backslash takes the meaning from the dot, colon, equals sign or backslash in a KEY behind it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NoReturn

from fastvarlink.cli.fault import MISUSED, REJECTED, fail
from fastvarlink.cli.members import method_of, near
from fastvarlink.cli.parameters import file_contents, strict_json
from fastvarlink.cli.values import Mismatch, Values
from fastvarlink.idl import tree
from fastvarlink.idl.printer import type_in_line

__all__ = ["from_pairs", "to_pairs"]

_PAIR = re.compile(r"(?!:?=)((?:\\.|[^\\=])+?)(:?=@?)(.*)", re.DOTALL)
_ESCAPED = re.compile(r"\\+@")
_TO_ESCAPE = re.compile(r"\\*@")

_Path = tuple[str, ...]


def from_pairs(words: Sequence[str], method: str, interface: tree.Interface) -> dict[str, Any]:
    """The parameters that the words say. ``method`` has its interface. Fails with a sentence."""
    declared = method_of(interface, method.rpartition(".")[2]).input
    filled = _Parameters(method, declared, Values(interface))
    for word in words:
        filled.add(word)
    filled.check_complete(declared, filled.parameters, ())
    return filled.parameters


class _Parameters:
    """The parameters of a call, as they grow word by word."""

    def __init__(self, method: str, declared: tree.Struct, values: Values) -> None:
        self.parameters: dict[str, Any] = {}
        self._method = method
        self._declared = declared
        self._values = values
        # What has a value of its own; what is on the way to these is a dict that is filled.
        self._given: set[_Path] = set()
        # The arrays among these that were given element by element.
        self._growing: set[_Path] = set()

    def add(self, word: str) -> None:
        """Take one word in."""
        pair = _PAIR.fullmatch(word)
        if pair is None:
            fail(
                f"{word!r} is no parameter of {self._method}; write KEY=VALUE. {self._takes()}",
                MISUSED,
            )
        key, how, text = pair.groups()
        try:
            word.encode()
        except UnicodeEncodeError:
            fail(f"The value of {key!r} is not UTF-8.", REJECTED)
        path = _path(key)
        of: tree.Type = self._declared
        place = self.parameters
        for depth, name in enumerate(path):
            if depth:
                if path[:depth] in self._given:
                    self._reject(f"{'.'.join(path[:depth])} has a value already, and {word!r} adds to it.")
                place = place.setdefault(path[depth - 1], {})
            of = self._inside(of, path[:depth], name)
        self._put(place, path, of, how, text)

    def _inside(self, of: tree.Type, parent: _Path, name: str) -> tree.Type:
        """The type of what has this name in a struct or a map."""
        plain = self._values.plain(of)
        if isinstance(plain, tree.Map):
            return plain.element
        if not isinstance(plain, tree.Struct):
            whole = ".".join(parent)
            self._reject(
                f"{whole} is {self._values.described(of)}, in which nothing has the name {name!r}; "
                f"write {whole}=JSON."
            )
        types = {field.name: field.type for field in plain.fields}
        if name in types:
            return types[name]
        if not parent:
            self._reject(f"{self._method} has no parameter {name!r}{near(name, types)}")
        self._reject(
            f"{'.'.join(parent)} has no field {name!r}{near(name, types)} It is {self._values.described(of)}."
        )

    def _put(self, place: dict[str, Any], path: _Path, of: tree.Type, how: str, text: str) -> None:
        key = ".".join(path)
        if how.endswith("@"):
            text = self._file(key, text)
        elif how == "=" and _ESCAPED.match(text):
            text = text[1:]
        plain = self._values.plain(of)
        is_element = isinstance(plain, tree.Array) and how[0] == "=" and not text.lstrip().startswith("[")
        if path[-1] in place and not (is_element and path in self._growing):
            self._reject(f"{key} is given twice.")
        self._given.add(path)
        if how[0] == ":":
            place[path[-1]] = self._json(key, text)
            return
        try:
            if isinstance(plain, tree.Array) and is_element:
                self._growing.add(path)
                elements = place.setdefault(path[-1], [])
                elements.append(self._values.from_text(plain.element, text, key))
            else:
                place[path[-1]] = self._values.from_text(of, text, key)
        except Mismatch as error:
            self._reject(str(error))
        except RecursionError:
            self._reject(f"The value of {key} is nested too deep.")

    def _json(self, key: str, text: str) -> Any:
        try:
            return strict_json(text)
        except (ValueError, RecursionError) as error:
            self._reject(f"What follows {key}:= is not JSON: {error}.")

    def _file(self, key: str, path: str) -> str:
        try:
            return file_contents(path, f"The value of {key}").decode()
        except UnicodeDecodeError:
            self._reject(f"The value of {key} in the file {path!r} is not UTF-8.")

    def check_complete(self, of: tree.Type, value: Any, path: _Path) -> None:
        """Fail if something is missing that has to be there, but for in what was given as a whole."""
        plain = self._values.plain(of)
        if path in self._given:
            return
        inner: Iterator[tuple[str, tree.Type]] = iter(())
        if isinstance(plain, tree.Struct):
            missing = [
                f"{'.'.join((*path, field.name))}, which has to be {self._values.described(field.type)}"
                for field in plain.fields
                if field.name not in value and not isinstance(field.type, tree.Nullable)
            ]
            if missing:
                self._reject(f"There is no value for {'; nor for '.join(missing)}.")
            inner = ((field.name, field.type) for field in plain.fields if field.name in value)
        elif isinstance(plain, tree.Map):
            inner = ((name, plain.element) for name in value)
        for name, declared in inner:
            self.check_complete(declared, value[name], (*path, name))

    def _reject(self, sentence: str) -> NoReturn:
        fail(f"{sentence} {self._takes()}", REJECTED)

    def _takes(self) -> str:
        if not self._declared.fields:
            return f"{self._method} takes no parameters."
        return f"{self._method} takes {type_in_line(self._declared)}."


def _path(key: str) -> _Path:
    """The names in a key, which dots separate."""
    names = [""]
    letters = iter(key)
    for letter in letters:
        if letter == ".":
            names.append("")
        else:
            names[-1] += next(letters) if letter == "\\" else letter
    return tuple(names)


def to_pairs(parameters: Mapping[str, Any], declared: tree.Struct, interface: tree.Interface) -> list[str]:
    """The words that say these parameters, so that from_pairs gets them back."""
    values = Values(interface)
    words = []
    for field in declared.fields:
        if field.name not in parameters:
            continue
        value = parameters[field.name]
        plain = values.plain(field.type)
        if value is None or plain is tree.Primitive.ANY:
            words.append(f"{field.name}:={_json_text(value)}")
        elif isinstance(plain, tree.Array) and _is_scalar(values.plain(plain.element)) and _are_plain(value):
            words += [f"{field.name}={_text(each)}" for each in value]
        else:
            words.append(f"{field.name}={_text(value)}")
    return words


def _is_scalar(plain: tree.Type) -> bool:
    return isinstance(plain, tree.Enum) or (
        isinstance(plain, tree.Primitive) and plain not in (tree.Primitive.OBJECT, tree.Primitive.ANY)
    )


def _are_plain(value: list[Any]) -> bool:
    """Whether there are scalars, and none that would be taken for something else."""
    return value != [] and all(
        each is not None and not _text(each).lstrip().startswith("[") for each in value
    )


def _text(value: Any) -> str:
    """A value behind the equals sign."""
    if not isinstance(value, str):
        return _json_text(value)
    return f"\\{value}" if _TO_ESCAPE.match(value) else value


def _json_text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
