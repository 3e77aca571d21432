"""The clients of an interface, and the base of its services."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fastvarlink.idl import tree
from fastvarlink.idl.generation.names import ModuleNames, parameter
from fastvarlink.idl.generation.text import call, docstring, literal
from fastvarlink.idl.generation.types import TypeWriter

__all__ = ["InterfaceWriter", "parameters_of"]

_TIMEOUT = "_timeout: float | None = ..."
_PLAIN = ("_more: Literal[False] = ...", "_oneway: Literal[False] = ...", _TIMEOUT)
_MORE = ("_more: Literal[True]", "_oneway: Literal[False] = ...", _TIMEOUT)
_ONEWAY = ("_more: Literal[False] = ...", "_oneway: Literal[True]", _TIMEOUT)
# At run time "..." stands for the limit of the client.
_ANY = ("_more: bool = False", "_oneway: bool = False", "_timeout: Any = ...")


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


class InterfaceWriter:
    """Writes the classes of an interface, whose results are called as ``results`` says."""

    def __init__(
        self,
        interface: tree.Interface,
        parameters: Mapping[str, _Parameters],
        results: Mapping[str, str],
        names: ModuleNames,
    ) -> None:
        self._name = interface.name
        self._methods = [member for member in interface.members if isinstance(member, tree.Method)]
        self._parameters = parameters
        self._results = results
        self._names = names

    def client(self, called: str) -> list[str]:
        """The class of a client that waits for its replies."""
        about = f"A client of {self._name}: fastvarlink.Client(ADDRESS).open({called})."
        return self._client(called, "TypedClient", about, ("{}", "Iterator[{}]", "None"))

    def async_client(self, called: str) -> list[str]:
        """The class of a client whose calls are awaited."""
        about = f"A client of {self._name}: await fastvarlink.aio.Client(ADDRESS).open({called})."
        returned = ("Coroutine[Any, Any, {}]", "AsyncIterator[{}]", "Coroutine[Any, Any, None]")
        return self._client(called, "AsyncTypedClient", about, returned)

    def service(self, called: str) -> list[str]:
        """The base class of services."""
        about = f"A service with {self._name}: subclass it, and offer that with Service.interface()."
        lines = _head(called, "TypedService", about)
        for method in self._methods:
            result = self._results[method.name]
            parameters = self._parameters[method.name]
            returned = f"fastvarlink.Answer[{result}]"
            head = f"def {self._names.declared(method.name)}"
            lines += call(head, ["self", *parameters.annotated], f" -> {returned}:", "    ")
            lines += docstring(parameters.doc, "        ")
            qualified = literal(f"{self._name}.{method.name}")
            lines += [*call("raise fastvarlink.MethodNotImplemented", [qualified], "", "        "), ""]
        return lines[:-1]

    def _client(self, called: str, base: str, about: str, returned: tuple[str, str, str]) -> list[str]:
        """A client whose methods return these for a call, for one with more, and for a oneway one."""
        lines = _head(called, base, about)
        for method in self._methods:
            head = f"def {self._names.declared(method.name)}"
            parameters = self._parameters[method.name]
            for flags, result in zip((_PLAIN, _MORE, _ONEWAY), returned, strict=True):
                arguments = ["self", *parameters.with_defaults, "*", *flags]
                shown = result.format(self._results[method.name])
                lines += ["    @overload", *call(head, arguments, f" -> {shown}: ...", "    "), ""]
            lines += call(head, ["self", *parameters.with_defaults, "*", *_ANY], " -> Any:", "    ")
            lines += docstring(parameters.doc, "        ")
            arguments = [literal(method.name), parameters.passed, "_more", "_oneway", "_timeout"]
            lines += [*call("return self._invoke", arguments, "", "        "), ""]
        return lines[:-1]


def _head(called: str, base: str, about: str) -> list[str]:
    head = call(f"class {called}", [f"fastvarlink.{base}", "definition=DEFINITION"], ":", "")
    return ["", "", *head, *docstring(about, "    "), ""]
