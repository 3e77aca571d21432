"""The clients of an interface, and the base of its services."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fastvarlink.idl import tree
from fastvarlink.idl.generation.names import ModuleNames, parameter
from fastvarlink.idl.generation.text import call, docstring, literal
from fastvarlink.idl.generation.types import TypeWriter

__all__ = ["async_client", "client", "service"]

_PLAIN = ("_more: Literal[False] = ...", "_oneway: Literal[False] = ...")
_MORE = ("_more: Literal[True]", "_oneway: Literal[False] = ...")
_ONEWAY = ("_more: Literal[False] = ...", "_oneway: Literal[True]")
_ANY = ("_more: bool = False", "_oneway: bool = False")


class _Parameters:
    """The parameters of a method: with annotations, as arguments, and in its documentation."""

    def __init__(self, method: tree.Method, types: TypeWriter) -> None:
        self.names = [parameter(field.name) for field in method.input.fields]
        annotations = [
            types.annotation(field.type, f"{method.name}.input.{field.name}", method.name, field.name)
            for field in method.input.fields
        ]
        self.annotated = [f"{name}: {of}" for name, of in zip(self.names, annotations, strict=True)]
        self.with_defaults = list(self.annotated)
        # Only what nothing required follows can be left out.
        for index in reversed(range(len(self.names))):
            if not isinstance(method.input.fields[index].type, tree.Nullable):
                break
            self.with_defaults[index] += " = None"
        documented = [
            f"{name}: {doc}".replace("\n", "\n    ")
            for name, field in zip(self.names, method.input.fields, strict=True)
            if (doc := field.doc.strip())
        ]
        self.doc = "\n\n".join(part for part in (method.doc, "\n".join(documented)) if part)

    @property
    def passed(self) -> str:
        """The arguments as a tuple."""
        return f"({', '.join(self.names)}{',' if len(self.names) == 1 else ''})"


def parameters_of(methods: Sequence[tree.Method], types: TypeWriter) -> dict[str, _Parameters]:
    """The parameters of all methods; the classes that they need are written by the way."""
    return {method.name: _Parameters(method, types) for method in methods}


def client(
    called: str,
    interface: tree.Interface,
    parameters: Mapping[str, _Parameters],
    results: Mapping[str, str],
    names: ModuleNames,
) -> list[str]:
    """The class of a client that waits for its replies."""
    about = f"A client of {interface.name}: fastvarlink.Client(ADDRESS).open({called})."
    lines = _head(called, "TypedClient", about)
    for method in _methods(interface):
        result = results[method.name]
        returned = (result, f"Iterator[{result}]", "None")
        lines += _overloads(method, parameters[method.name], returned, names)
    return lines[:-1]


def async_client(
    called: str,
    interface: tree.Interface,
    parameters: Mapping[str, _Parameters],
    results: Mapping[str, str],
    names: ModuleNames,
) -> list[str]:
    """The class of a client whose calls are awaited."""
    about = f"A client of {interface.name}: await fastvarlink.aio.Client(ADDRESS).open({called})."
    lines = _head(called, "AsyncTypedClient", about)
    for method in _methods(interface):
        result = results[method.name]
        returned = (
            f"Coroutine[Any, Any, {result}]",
            f"AsyncIterator[{result}]",
            "Coroutine[Any, Any, None]",
        )
        lines += _overloads(method, parameters[method.name], returned, names)
    return lines[:-1]


def service(
    called: str,
    interface: tree.Interface,
    parameters: Mapping[str, _Parameters],
    results: Mapping[str, str],
    names: ModuleNames,
) -> list[str]:
    """The base class of services."""
    about = f"A service with {interface.name}: subclass it, and offer that with Service.interface()."
    lines = _head(called, "TypedService", about)
    for method in _methods(interface):
        result = results[method.name]
        returned = f"{result} | Iterator[{result}]" if result != "None" else "Iterator[None] | None"
        arguments = ["self", *parameters[method.name].annotated]
        lines += call(f"def {names.declared(method.name)}", arguments, f" -> {returned}:", "    ")
        qualified = literal(f"{interface.name}.{method.name}")
        lines += docstring(parameters[method.name].doc, "        ")
        lines += call("raise fastvarlink.MethodNotImplemented", [qualified], "", "        ")
        lines.append("")
    return lines[:-1]


def _methods(interface: tree.Interface) -> list[tree.Method]:
    return [member for member in interface.members if isinstance(member, tree.Method)]


def _head(called: str, base: str, about: str) -> list[str]:
    head = call(f"class {called}", [f"fastvarlink.{base}", "definition=DEFINITION"], ":", "")
    return ["", "", *head, *docstring(about, "    "), ""]


def _overloads(
    method: tree.Method, parameters: _Parameters, returned: tuple[str, str, str], names: ModuleNames
) -> list[str]:
    called = names.declared(method.name)
    lines = []
    for flags, result in zip((_PLAIN, _MORE, _ONEWAY), returned, strict=True):
        lines.append("    @overload")
        arguments = ["self", *parameters.with_defaults, "*", *flags]
        lines += [*call(f"def {called}", arguments, f" -> {result}: ...", "    "), ""]
    lines += call(f"def {called}", ["self", *parameters.with_defaults, "*", *_ANY], " -> Any:", "    ")
    lines += docstring(parameters.doc, "        ")
    arguments = [literal(method.name), parameters.passed, "_more", "_oneway"]
    lines += [*call("return self._invoke", arguments, "", "        "), ""]
    return lines
