"""Interfaces that are declared in Python: a class, its methods' annotations and docstrings, and its errors.

    @fastvarlink.interface("org.example.users")
    class Users:
        \"\"\"Who may log in here.\"\"\"

        class NotFound(fastvarlink.InterfaceError):
            name: str

        @fastvarlink.method(returns="user")
        def Get(self, name: str) -> User: ...

        def Watch(self) -> Iterator[Event]: ...

A public function of the class whose name begins with a capital is a method, and so is one that method()
marks, whatever its name. What it takes are its parameters; one with a default may be left out. What it
returns are the fields of a dataclass or a TypedDict, or one result that ``returns`` names. An iterator
streams.
"""

from __future__ import annotations

import collections.abc
import functools
import inspect
import re
import sys
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import FunctionType
from typing import Any, TypeVar, overload

from fastvarlink._core.deadline import checked_timeout
from fastvarlink._core.plan import KEYWORDS
from fastvarlink.error import InterfaceError
from fastvarlink.idl import tree
from fastvarlink.idl.annotations import AnnotationError, TypeReader, hints_of
from fastvarlink.idl.checks import problems_of_names
from fastvarlink.idl.definition import Definition
from fastvarlink.idl.printer import to_text
from fastvarlink.idl.shapes import wire_name
from fastvarlink.idl.sources import class_doc, comments_of, function_doc

__all__ = ["Handling", "definition_of", "handling_of", "interface", "is_asynchronous", "method", "options_of"]

_Class = TypeVar("_Class", bound=type)
_Function = TypeVar("_Function", bound=Callable[..., Any])

_STREAMS = {
    collections.abc.Iterator,
    collections.abc.Iterable,
    collections.abc.Generator,
    collections.abc.AsyncIterator,
    collections.abc.AsyncIterable,
    collections.abc.AsyncGenerator,
}
_is_member_name = re.compile("[A-Z][A-Za-z0-9]*").fullmatch


@dataclass(frozen=True, slots=True)
class _Options:
    """What method() was told."""

    name: str | None = None
    returns: str | None = None
    live: bool = False
    upgrade: bool = False
    descriptors: int | None = None
    sensitive: bool = False
    timeout: float | None = None


@dataclass(frozen=True, slots=True)
class Handling:
    """How a typed handler is called.

    ``attribute`` is its name in its class, ``defaults`` what it gets for each parameter that is not there,
    ``only`` the name of the one result that it returns bare. ``streams`` and the rest say what method() does.
    """

    attribute: str
    defaults: tuple[Any, ...]
    only: str | None
    streams: bool
    live: bool
    upgrade: bool
    descriptors: int | None
    sensitive: bool
    timeout: float | None


@overload
def method(function: _Function, /) -> _Function: ...
@overload
def method(
    *,
    name: str | None = None,
    returns: str | None = None,
    live: bool = False,
    upgrade: bool = False,
    descriptors: int | None = None,
    sensitive: bool = False,
    timeout: float | None = None,
) -> Callable[[_Function], _Function]: ...
def method(
    function: Any = None,
    /,
    *,
    name: str | None = None,
    returns: str | None = None,
    live: bool = False,
    upgrade: bool = False,
    descriptors: int | None = None,
    sensitive: bool = False,
    timeout: float | None = None,
) -> Any:
    """Mark a function of a class as a method of its interface.

    ``name`` is what it is called there; without it, the function's name in capitalised words. ``returns`` is
    the name of its one result. The replies of a stream are sent one behind, so that the last one can say
    that it is the last; with ``live`` they are sent at once, and the stream ends with what the function
    returns, or with an empty reply.

    With ``upgrade``, calls that do not ask for an upgrade are answered by ExpectedUpgrade; the function gets
    a ``_context``, whose take_over() says who has the connection after the reply. ``descriptors`` is how many
    file descriptors have to come with each call, where the interface uses them. With ``sensitive`` no value
    of its calls and replies gets into a log, as with a parameter that is ``Annotated[..., Sensitive]``.

    ``timeout`` is how many seconds the function has, and each reply of a stream. Then its caller gets
    TimedOut; a coroutine is cancelled, another function can see it by its ``_context``, and what it returns
    is dropped. Servers with one thread for everything do not notice.

    These four also go for the methods of a class that a definition was written for.
    """
    limit = checked_timeout(timeout)

    def mark(marked: Any) -> Any:
        target: Any = marked.__func__ if isinstance(marked, staticmethod | classmethod) else marked
        target.__varlink_method__ = _Options(name, returns, live, upgrade, descriptors, sensitive, limit)
        return marked

    return mark if function is None else mark(function)


def interface(
    name: str,
    *,
    errors: Iterable[type[InterfaceError]] = (),
    descriptors: bool = False,
    sensitive: bool = False,
) -> Callable[[_Class], _Class]:
    """A class decorator: declare an interface by the annotations of a class.

    ``errors`` are those that the interface declares besides the ones in the class. Service.interface() then
    offers objects of the class. ``descriptors`` and ``sensitive`` are as in Service.interface().
    AnnotationError names the annotation that cannot be expressed; ValueError says what is wrong with a name.
    """
    # Names that only the place of the declaration knows, as in a function.
    names = dict(sys._getframe(1).f_locals)

    def declare(cls: _Class) -> _Class:
        _declare(name, cls, errors, names)
        cls.__varlink_descriptors__ = descriptors  # type: ignore[attr-defined]
        cls.__varlink_sensitive__ = sensitive  # type: ignore[attr-defined]
        return cls

    return declare


def definition_of(handler: Any) -> Definition | None:
    """The definition that the class of an object, or a class, declares; None without one."""
    definition: Definition | None = getattr(handler, "__varlink_definition__", None)
    return definition


def _declare(
    name: str, cls: type[Any], errors: Iterable[type[InterfaceError]], names: Mapping[str, Any]
) -> None:
    reader = TypeReader({**names, **vars(cls)})
    shapes: dict[str, type[Any]] = {}
    members: list[tree.Member] = []
    handlings: dict[str, Handling] = {}
    for attribute, function, bound in _functions(cls):
        options = _options(function)
        called = options.name or (attribute if _is_member_name(attribute) else _in_capitals(attribute))
        if called in handlings:
            raise ValueError(f"{cls.__qualname__} has two methods for {called}: give one another name.")
        declared, handling, result = _Signature(cls, attribute, function, bound, options, reader).read(called)
        members.append(declared)
        handlings[called] = handling
        if result is not None:
            shapes[f"{called}.output"] = result
    for error in (*_nested_errors(cls), *errors):
        error_name = error.__name__.rstrip("_")
        members.append(tree.Error(error_name, _parameters(error, reader), class_doc(error)))
        shapes[error_name] = error
    declared_interface = tree.Interface(name, class_doc(cls), (*reader.declarations.values(), *members))
    if wrong := problems_of_names(declared_interface):
        sentences = " ".join(problem.message for problem in wrong)
        raise ValueError(f"{cls.__qualname__} declares what no interface can have. {sentences}")
    definition = Definition(to_text(declared_interface), {**reader.shapes, **shapes})
    cls.__varlink_definition__ = definition
    cls.__varlink_handlings__ = handlings


def _functions(cls: type[Any]) -> list[tuple[str, FunctionType, bool]]:
    """The functions of a class that are methods: name, function, and whether the first parameter is bound."""
    found: dict[str, tuple[str, FunctionType, bool]] = {}
    for base in reversed(cls.__mro__[:-1]):
        for attribute, value in vars(base).items():
            function = value.__func__ if isinstance(value, staticmethod | classmethod) else value
            if not isinstance(function, FunctionType):
                found.pop(attribute, None)
            elif hasattr(function, "__varlink_method__") or _is_member_name(attribute):
                found[attribute] = (attribute, function, not isinstance(value, staticmethod))
    return list(found.values())


def _options(function: Any) -> _Options:
    options: _Options = getattr(function, "__varlink_method__", _Options())
    return options


def _in_capitals(name: str) -> str:
    return "".join(word[:1].upper() + word[1:] for word in name.split("_"))


def _nested_errors(cls: type[Any]) -> list[type[InterfaceError]]:
    return [
        value
        for base in reversed(cls.__mro__[:-1])
        for value in vars(base).values()
        if isinstance(value, type) and issubclass(value, InterfaceError)
    ]


def _parameters(error: type[InterfaceError], reader: TypeReader) -> tree.Struct:
    hints = hints_of(error, reader.names)
    docs = comments_of(error)
    return tree.Struct(
        tuple(
            tree.Field(
                wire_name(name), reader.read(hints[name], f"{error.__qualname__}.{name}"), docs.get(name, "")
            )
            for name in error._fields()
        )
    )


class _Signature:
    """The signature of one function, as a method."""

    def __init__(
        self,
        cls: type[Any],
        attribute: str,
        function: FunctionType,
        bound: bool,
        options: _Options,
        reader: TypeReader,
    ) -> None:
        self._where = f"{cls.__qualname__}.{attribute}"
        self._attribute = attribute
        self._function = function
        self._options = options
        self._reader = reader
        self._hints = hints_of(function, reader.names)
        self._parameters = _parameters_of(function, bound)

    def read(self, called: str) -> tuple[tree.Method, Handling, type[Any] | None]:
        """The method, how its handler is called, and the class of its results, if it has one."""
        docs = comments_of(self._function)
        self._reader.sensitive = False
        received = tree.Struct(
            tuple(
                tree.Field(wire_name(parameter.name), self._taken(parameter), docs.get(parameter.name, ""))
                for parameter in self._parameters
            )
        )
        streams, annotation = self._returned()
        returned, result = self._given(annotation)
        declared = tree.Method(called, received, returned, function_doc(self._function))
        handling = Handling(
            self._attribute,
            _defaults(self._parameters),
            self._options.returns,
            streams,
            self._options.live,
            self._options.upgrade,
            self._options.descriptors,
            self._options.sensitive or self._reader.sensitive,
            self._options.timeout,
        )
        return declared, handling, result

    def _taken(self, parameter: inspect.Parameter) -> tree.Type:
        where = f"The parameter {parameter.name!r} of {self._where}"
        if parameter.kind not in {parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD}:
            raise AnnotationError(f"{where} cannot be given by position, as the parameters of a call are.")
        if parameter.name not in self._hints:
            raise AnnotationError(f"{where} has no annotation: say what type it is.")
        of = self._reader.read(self._hints[parameter.name], where)
        if parameter.default is not parameter.empty and not isinstance(of, tree.Nullable):
            # What has a default may be left out.
            of = tree.Nullable(of)
        return of

    def _returned(self) -> tuple[bool, Any]:
        """Whether it streams, and the annotation of one reply."""
        generates = inspect.isgeneratorfunction(self._function) or inspect.isasyncgenfunction(self._function)
        if "return" not in self._hints:
            raise AnnotationError(
                f"{self._where} does not say what it returns: annotate it with '-> None' if that is nothing."
            )
        annotation = self._hints["return"]
        if typing.get_origin(annotation) in _STREAMS:
            return True, typing.get_args(annotation)[0]
        if generates:
            raise AnnotationError(
                f"{self._where} is a generator, so it is to be annotated Iterator[...] with the type of a "
                f"reply, not {annotation}."
            )
        return False, annotation

    def _given(self, annotation: Any) -> tuple[tree.Struct, type[Any] | None]:
        """What a reply has, and the class that stands for it."""
        where = f"The result of {self._where}"
        if self._options.returns is not None:
            of = self._reader.read(annotation, where)
            return tree.Struct((tree.Field(self._options.returns, of),)), None
        if annotation is type(None):
            return tree.Struct(()), None
        if typing.is_typeddict(annotation):
            return self._reader.struct(annotation), None
        if isinstance(annotation, type) and hasattr(annotation, "__dataclass_fields__"):
            return self._reader.struct(annotation), annotation
        # Complains if the type is none, before it complains that there is no name.
        self._reader.read(annotation, where)
        shown = annotation.__qualname__ if isinstance(annotation, type) else str(annotation)
        raise AnnotationError(
            f'{where} is annotated {shown} and has no name: give it one with @method(returns="..."), or '
            f"return a dataclass or a TypedDict."
        )


def _parameters_of(function: FunctionType, bound: bool) -> list[inspect.Parameter]:
    """What a function takes from a call: neither self nor what handlers are told on the side."""
    parameters = list(inspect.signature(function).parameters.values())[1 if bound else 0 :]
    return [parameter for parameter in parameters if parameter.name not in KEYWORDS]


def _defaults(parameters: Iterable[inspect.Parameter]) -> tuple[Any, ...]:
    return tuple(None if each.default is each.empty else each.default for each in parameters)


def is_asynchronous(function: Any) -> bool:
    """Whether what a function returns is awaited, or iterated over with waiting."""
    while isinstance(function, functools.partial):
        function = function.func
    if not inspect.isroutine(function) and not isinstance(function, type):
        # An object that is called.
        function = getattr(type(function), _CALLED, function)
    # What stands around a coroutine function mostly returns its coroutine.
    return any(
        inspect.iscoroutinefunction(each) or inspect.isasyncgenfunction(each)
        for each in (function, inspect.unwrap(function))
    )


# What makes an object one that can be called.
_CALLED = "__call__"

# An annotation that has not been resolved, or the text of one that has.
_is_stream_text = re.compile(
    r"(?:[\w.]+\.)?(?:Async)?(?:Iterator|Iterable|Generator)\[.*\]", re.DOTALL
).fullmatch


def _is_stream(annotation: Any) -> bool:
    """Whether an annotation says that a function streams, and does nothing else."""
    return _is_stream_text(str(annotation)) is not None


def handling_of(handler: Any, declared: tree.Method) -> Handling | None:
    """How an object handles a method of the definition that its class has. None if it does not.

    TypeError if it takes other parameters than the method.
    """
    known: Handling | None = getattr(handler, "__varlink_handlings__", {}).get(declared.name)
    if known is not None:
        return known
    # The name of a method that Python keeps for itself has an underscore behind it.
    for attribute in (declared.name, f"{declared.name}_"):
        function = getattr(handler, attribute, None)
        if function is not None:
            break
    else:
        return None
    target = inspect.unwrap(getattr(function, "__func__", function))
    parameters = _parameters_of(target, bound=hasattr(function, "__func__"))
    names = [wire_name(parameter.name) for parameter in parameters]
    if names != [field.name for field in declared.input.fields]:
        wanted = ", ".join(field.name for field in declared.input.fields)
        raise TypeError(
            f"{target.__qualname__} takes ({', '.join(names)}), where it is declared with ({wanted})."
        )
    options = _options(target)
    streams = inspect.isgeneratorfunction(target) or inspect.isasyncgenfunction(target)
    streams = streams or _is_stream(getattr(target, "__annotations__", {}).get("return", ""))
    return Handling(
        attribute,
        _defaults(parameters),
        options.returns,
        streams,
        options.live,
        options.upgrade,
        options.descriptors,
        options.sensitive,
        options.timeout,
    )


def options_of(handler: Any) -> _Options:
    """What method() was told of a handler, whoever declared its method."""
    return _options(inspect.unwrap(getattr(handler, "__func__", handler)))
