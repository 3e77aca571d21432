"""Interfaces that are declared by annotations: what they become, and what cannot be said."""

from __future__ import annotations

import datetime
import enum
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypedDict, Union

import pytest

import fastvarlink
from fastvarlink.error import Error
from fastvarlink.idl.annotations import AnnotationError
from fastvarlink.service.declaration import definition_of

from .declared import TEXT, Declared


def described(cls: type) -> str:
    definition = definition_of(cls)
    assert definition is not None
    return definition.interface.description


def test_everything_that_annotations_can_say() -> None:
    assert described(Declared) == TEXT


def test_a_class_without_a_declaration_has_none() -> None:
    assert definition_of(object()) is None


class Node(TypedDict, total=False):
    value: int
    next: Node | None


@dataclass
class Inner:
    x: int


def test_recursion_and_local_classes() -> None:
    @dataclass
    class Local:
        inner: Inner
        others: dict[str, list[Local | None]]

    @fastvarlink.interface("org.example.local")
    class Interface:
        @fastvarlink.method(returns="node")
        def Walk(self, local: Local) -> Node:
            return {}

    assert described(Interface) == (
        "interface org.example.local\n\n"
        "type Local (inner: Inner, others: [string][]?Local)\n\n"
        "type Inner (x: int)\n\n"
        "type Node (value: ?int, next: ?Node)\n\n"
        "method Walk(local: Local) -> (node: Node)\n"
    )


def test_methods_come_from_bases_too() -> None:
    class Base:
        def First(self) -> None: ...

    @fastvarlink.interface("org.example.bases")
    class Derived(Base):
        def Second(self) -> None: ...

    assert "method First() -> ()\n\nmethod Second() -> ()\n" in described(Derived)


@pytest.mark.parametrize(
    "annotation",
    [
        Iterator[Inner],
        Generator[Inner, None, None],
        AsyncIterator[Inner],
    ],
)
def test_streams(annotation: Any) -> None:
    def stream(self: Any) -> Any: ...

    stream.__annotations__["return"] = annotation
    declared = fastvarlink.interface("org.example.stream")(type("Streams", (), {"Stream": stream}))
    assert "method Stream() -> (x: int)\n" in described(declared)


def declare(
    annotation: Any = int, result: Any = None, function: Callable[..., Any] | None = None, **options: Any
) -> str:
    """Declare an interface with one method; what is said against it."""

    def method(self: Any, given: Any) -> Any: ...

    method.__annotations__.update({"given": annotation, "return": result})
    chosen = function or method
    chosen.__qualname__ = "Users.Get"
    chosen = fastvarlink.method(**options)(chosen) if options else chosen
    with pytest.raises((AnnotationError, ValueError, TypeError)) as caught:
        fastvarlink.interface("org.example.users")(type("Users", (), {"Get": chosen}))
    return str(caught.value)


class Empty(enum.Enum):
    pass


class Odd(enum.Enum):
    good = "good"
    bad = "not a name"


@pytest.mark.parametrize(
    ("annotation", "shown"),
    [
        (datetime.datetime, "datetime"),
        (bytes, "bytes"),
        (complex, "complex"),
        (tuple[int, str], "tuple[int, str]"),
        (set[int], "set[int]"),
        (set, "set"),
        (dict[int, str], "dict[int, str]"),
        (Union[int, str], "Union[int, str]"),  # noqa: UP007
        (int | str | None, "int | str | None"),
        (Literal[1, 2], "Literal[1, 2]"),
        (Callable[[], None], "Callable"),
        (None, "NoneType"),
        (Empty, "Empty"),
        (list[list[bytes]], "bytes"),
        (Iterator[int], "Iterator[int]"),
    ],
)
def test_what_cannot_be_expressed_is_named(annotation: Any, shown: str) -> None:
    message = declare(annotation)
    assert shown in message
    assert "The parameter 'given' of Users.Get" in message
    assert issubclass(AnnotationError, Error)
    assert issubclass(AnnotationError, TypeError)


def test_fields_of_classes_are_named() -> None:
    @dataclass
    class Bad:
        when: datetime.date

    assert "Bad.when is annotated date" in declare(Bad)


def test_values_that_are_no_names() -> None:
    assert "'not a name'" in declare(Odd)
    assert "'a-b'" in declare(Literal["a-b"])


def test_two_classes_of_one_name() -> None:
    @dataclass
    class Inner:
        y: int

    pair = dataclass(type("Pair", (), {"__annotations__": {"a": Inner, "b": globals()["Inner"]}}))
    assert "another class called Inner" in declare(pair)


def test_results_need_names() -> None:
    assert (
        'The result of Users.Get is annotated int and has no name: give it one with @method(returns="...")'
        in (declare(result=int))
    )
    assert "'result-of'" in declare(result=int, returns="result-of")


def test_signatures_that_no_call_can_have() -> None:
    def by_keyword(self: Any, *, given: int) -> None: ...

    def many(self: Any, *given: int) -> None: ...

    def silent(self: Any): ...  # type: ignore[no-untyped-def]

    def bare(self: Any, given) -> None: ...  # type: ignore[no-untyped-def]

    def generator(self: Any) -> Inner:  # type: ignore[misc]
        yield Inner(1)

    assert "cannot be given by position" in declare(function=by_keyword)
    assert "cannot be given by position" in declare(function=many)
    assert "Users.Get does not say what it returns" in declare(function=silent)
    assert "The parameter 'given' of Users.Get has no annotation" in declare(function=bare)
    assert "Users.Get is a generator" in declare(function=generator)


def test_names_that_cannot_be_resolved() -> None:
    def unknown(self: Any, given: Nowhere) -> None: ...  # type: ignore[name-defined] # noqa: F821

    assert "'Nowhere'" in declare(function=unknown)


def test_names_that_no_interface_has() -> None:
    class Users:
        def Get(self) -> None: ...

    with pytest.raises(ValueError, match="'users'"):
        fastvarlink.interface("users")(Users)
    with pytest.raises(ValueError, match="declares nothing"):
        fastvarlink.interface("org.example.users")(type("Users", (), {}))

    class Twice:
        @fastvarlink.method(name="Get")
        def one(self) -> None: ...

        @fastvarlink.method(name="Get")
        def two(self) -> None: ...

    with pytest.raises(ValueError, match="two methods for Get"):
        fastvarlink.interface("org.example.users")(Twice)


def test_an_error_belongs_to_one_interface() -> None:
    class Broken(fastvarlink.InterfaceError):
        pass

    class Users:
        def Get(self) -> None: ...

    fastvarlink.interface("org.example.one", errors=[Broken])(Users)
    assert Broken().error() == "org.example.one.Broken"
    with pytest.raises(TypeError, match=r"org\.example\.one\.Broken"):
        fastvarlink.interface("org.example.two", errors=[Broken])(Users)
