"""The class Service: what a program offers, apart from how it is reached."""

from __future__ import annotations

import contextlib
import inspect
import json
import os
from collections.abc import Callable, Iterable, Iterator
from socket import socket
from typing import Any, TypeVar, overload

import orjson

from fastvarlink._core.dispatch import MethodTable, respond
from fastvarlink._core.interception import Interception
from fastvarlink._core.plan import KEYWORDS, MethodPlan
from fastvarlink._core.schema import Checker
from fastvarlink.error import (
    InterfaceNotFound,
    MethodNotFound,
    MethodNotImplemented,
    VarlinkError,
)
from fastvarlink.idl import tree
from fastvarlink.idl.base import base_text
from fastvarlink.idl.checkers import Checkers
from fastvarlink.idl.definition import Definition
from fastvarlink.idl.interface import Interface
from fastvarlink.interceptor import Interceptor
from fastvarlink.limits import Limits
from fastvarlink.peer import Peer
from fastvarlink.service import runner
from fastvarlink.service.access import Access, Allow
from fastvarlink.service.declaration import definition_of, handling_of, is_asynchronous, options_of
from fastvarlink.service.encoders import encoder_function
from fastvarlink.service.explain import explain
from fastvarlink.service.own_loop import OwnLoop
from fastvarlink.service.registry import Registry

_Class = TypeVar("_Class", bound=type)
_Handler = TypeVar("_Handler")


def _keywords_of(handler: Callable[..., Any]) -> tuple[int, bool]:
    """The bits of the magic keywords that a handler declares, and whether what it returns is awaited."""
    awaited = is_asynchronous(handler)
    try:
        parameters = inspect.signature(handler).parameters.values()
    except (TypeError, ValueError):
        return 0, awaited
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    bits = 0
    for parameter in parameters:
        if parameter.kind in named:
            bits |= KEYWORDS.get(parameter.name, 0)
    return bits, awaited


class Service:
    """Interfaces and the objects that implement them.

    ``vendor``, ``product``, ``version`` and ``url`` are what GetInfo tells; ``interface_dir`` is where
    ``NAME.varlink`` files are looked for; with ``namespaced``, handlers get structs as SimpleNamespace.
    ``json_encoder_cls`` is a json.JSONEncoder for results that are not made of JSON's own types. Without
    ``check_results``, dicts that handlers return are sent without a comparison with the declaration.
    ``allow`` says who may call: ``"root"``, ``"same-user"`` (the user that the service runs as), both in a
    tuple, or a function that gets the call's Context; others are answered by PermissionDenied. With
    ``refuse_connections`` they are not let in at all, and the function gets a Peer. ``interceptors`` stand
    around all calls, the first one outermost: see Interceptor.

        service = Service(vendor="Example", product="Ping", version="1", url="https://example.org/")

        @service.interface("org.example.ping")
        class Ping:
            def Ping(self, ping):
                return {"pong": ping}

    A handler gets the parameters in the order of declaration, None for what was not sent, and returns a
    dict. A generator sends several replies: each dict it yields, those before the last with
    ``"_continues": True``. To answer with an error raise (or yield) a VarlinkError. A handler that
    declares them as keywords gets: ``_more``, ``_oneway``, ``_upgrade`` (only when set in the call),
    ``_message`` (the call as a dict), ``_raw`` (its bytes), ``_interface``, ``_method``, ``_server``,
    ``_request`` (the socket), ``_context`` (a Context: who calls, and what for), ``_descriptors`` (the file
    descriptors that came, and those that go: Descriptors).
    """

    def __init__(
        self,
        vendor: str = "",
        product: str = "",
        version: str = "",
        url: str = "",
        interface_dir: str = ".",
        namespaced: bool = False,
        *,
        json_encoder_cls: type[json.JSONEncoder] | None = None,
        check_results: bool = True,
        allow: Allow | None = None,
        refuse_connections: bool = False,
        interceptors: Iterable[Interceptor] = (),
    ) -> None:
        self.vendor = vendor
        self.product = product
        self.version = version
        self.url = url
        self.interface_dir = interface_dir
        self._namespaced = namespaced
        self._json_encoder_cls = json_encoder_cls
        self._check_results = check_results
        self._access = None if allow is None else Access(allow)
        self._refuse_connections = refuse_connections and allow is not None
        self._table = MethodTable(
            self._plan,
            self._explain,
            None if self._access is None or refuse_connections else self._access.allows_call,
            OwnLoop(),
        )
        interceptors = tuple(interceptors)
        if interceptors:
            self._table.interception = Interception(interceptors)
        # The interfaces that use file descriptors, and those of which nothing may be logged.
        self._with_descriptors: set[str] = set()
        self._sensitive: set[str] = set()
        self._has_upgrades: bool | None = None
        self._has_coroutines: bool | None = None
        self._error_checkers: dict[str, Checker | None] = {}
        self._interfaces: Registry[Interface] = Registry(self._forget)
        self._handlers: Registry[Any] = Registry(self._forget)
        self._add(Interface.from_specification(base_text()), self)

    @property
    def interfaces(self) -> dict[str, Interface]:
        """The interfaces by name. May be changed at any time."""
        return self._interfaces

    @interfaces.setter
    def interfaces(self, interfaces: dict[str, Interface]) -> None:
        self._interfaces = Registry(self._forget, interfaces)
        self._forget()

    @property
    def interfaces_handlers(self) -> dict[str, Any]:
        """The objects that implement the interfaces, by the interfaces' names."""
        return self._handlers

    @interfaces_handlers.setter
    def interfaces_handlers(self, handlers: dict[str, Any]) -> None:
        self._handlers = Registry(self._forget, handlers)
        self._forget()

    @property
    def uses_descriptors(self) -> bool:
        """True if an interface uses file descriptors: only then are any received (rule D1)."""
        return bool(self._with_descriptors)

    @property
    def upgrades(self) -> bool:
        """True if a method is declared to hand its connection over."""
        if self._has_upgrades is None:
            self._has_upgrades = any(options_of(attribute).upgrade for attribute in self._attributes())
        return self._has_upgrades

    @property
    def awaits(self) -> bool:
        """True if a method is handled by a coroutine function or an asynchronous generator."""
        if self._has_coroutines is None:
            self._has_coroutines = any(is_asynchronous(attribute) for attribute in self._attributes())
        return self._has_coroutines

    def _attributes(self) -> Iterator[Any]:
        """All that the handlers' classes have and may be a method."""
        for handler in self._handlers.values():
            if handler is not self:
                for name in dir(type(handler)):
                    if not name.startswith("_"):
                        attribute = inspect.getattr_static(handler, name, None)
                        yield getattr(attribute, "__func__", attribute)

    @property
    def interception(self) -> Interception | None:
        """The interceptors; None if there are none."""
        return self._table.interception

    def intercept(self, interceptor: Interceptor) -> None:
        """Have one more interceptor stand around all calls, as the outermost. Before it is served only."""
        there = () if self.interception is None else self.interception.interceptors
        self._table.interception = Interception((interceptor, *there))

    def admits(self, peer: Peer) -> bool:
        """Whether a peer may connect, whatever it may call then."""
        return not self._refuse_connections or self._access is None or self._access.allows_connection(peer)

    def _forget(self) -> None:
        self._error_checkers.clear()
        self._has_upgrades = None
        self._has_coroutines = None
        self._table.forget()

    def GetInfo(self) -> dict[str, Any]:
        """org.varlink.service.GetInfo()"""
        return {
            "vendor": self.vendor,
            "product": self.product,
            "version": self.version,
            "url": self.url,
            "interfaces": list(self._interfaces),
        }

    def GetInterfaceDescription(self, interface: str) -> dict[str, str]:
        """org.varlink.service.GetInterfaceDescription()"""
        found = self._interfaces.get(interface)
        if found is None:
            raise InterfaceNotFound(interface)
        return {"description": found.description}

    @overload
    def interface(
        self,
        filename: str | os.PathLike[str],
        *,
        descriptors: bool | None = None,
        sensitive: bool | None = None,
    ) -> Callable[[_Class], _Class]: ...
    @overload
    def interface(
        self, filename: _Handler, *, descriptors: bool | None = None, sensitive: bool | None = None
    ) -> _Handler: ...
    def interface(
        self, filename: Any, *, descriptors: bool | None = None, sensitive: bool | None = None
    ) -> Any:
        """Offer an interface.

        ``filename`` is the name of one, whose definition is ``NAME.varlink`` in ``interface_dir``, or the
        path of a definition, or its text: then this is a class decorator, and an instance of the class
        implements the interface. Or it is a class that declares its interface itself, by interface() or as a
        subclass of a generated one, or an object of such a class; it is returned.

        With ``descriptors``, file descriptors may come and go with the calls of the interface: a handler that
        declares ``_descriptors`` gets them. A call that brings another number than its method takes is
        answered by InvalidParameter. Without, they are closed, or do not get through at all. With
        ``sensitive``, no value of a call or a reply gets into a log. What is not said here is what
        fastvarlink.interface() was told.
        """
        if isinstance(filename, str | os.PathLike):
            interface = self._read(filename)

            def decorate(interface_class: _Class) -> _Class:
                self._add(interface, interface_class(), descriptors, sensitive)
                return interface_class

            return decorate
        definition = definition_of(filename)
        if definition is None:
            raise TypeError(
                f"{getattr(filename, '__qualname__', type(filename).__qualname__)} does not declare an "
                f"interface: decorate the class with fastvarlink.interface(NAME), or offer it with "
                f"Service.interface(NAME_OR_PATH_OR_TEXT)."
            )
        self._add_typed(
            definition, filename() if isinstance(filename, type) else filename, descriptors, sensitive
        )
        return filename

    def _read(self, described: str | os.PathLike[str]) -> Interface:
        """The interface whose definition is given by its name, its path, or its text."""
        name = os.fspath(described)
        if isinstance(described, str) and ("\n" in name or name.startswith(("interface ", "#"))):
            return Interface.read(name)
        path = name if os.path.isabs(name) else os.path.join(self.interface_dir, name + ".varlink")
        if not os.path.exists(path) and (name.endswith(".varlink") or not isinstance(described, str)):
            path = os.path.join(self.interface_dir, name)
        with open(path, encoding="utf-8") as file:
            return Interface.read(file.read(), path)

    def _set_interface(self, filename: str, interface_class: Any) -> Any:
        """Have an object, or an instance of a class, implement an interface; returns what was given."""
        handler = interface_class() if isinstance(interface_class, type) else interface_class
        self._add_interface(filename, handler)
        return interface_class

    def _add_interface(self, filename: str, handler: Any) -> None:
        self._add(self._read(filename), handler)

    def _add_typed(
        self, definition: Definition, handler: Any, descriptors: bool | None, sensitive: bool | None
    ) -> None:
        for member in definition.interface.tree.members:
            if isinstance(member, tree.Method):
                # It complains of handlers that do not fit.
                handling_of(handler, member)
        self._add(definition.interface, handler, descriptors, sensitive)

    def _add(
        self,
        interface: Interface,
        handler: Any,
        descriptors: bool | None = None,
        sensitive: bool | None = None,
    ) -> None:
        if descriptors is None:
            descriptors = getattr(handler, "__varlink_descriptors__", False)
        if sensitive is None:
            sensitive = getattr(handler, "__varlink_sensitive__", False)
        for names, belongs in ((self._with_descriptors, descriptors), (self._sensitive, sensitive)):
            names.discard(interface.name)
            if belongs:
                names.add(interface.name)
        self._interfaces[interface.name] = interface
        self._handlers[interface.name] = handler

    def _error_checker(self, name: str) -> Checker | None:
        """The checker of the parameters of an error, None for one that no interface here declares."""
        if name in self._error_checkers:
            return self._error_checkers[name]
        interface_name, _, error_name = name.rpartition(".")
        interface = self._interfaces.get(interface_name)
        found = None
        # Programs put what they like into the errors of all services.
        if interface is not None and interface_name != "org.varlink.service":
            for member in interface.tree.members:
                if isinstance(member, tree.Error) and member.name == error_name:
                    definition = definition_of(self._handlers.get(interface_name))
                    checkers = definition.checkers if definition is not None else Checkers(interface.tree)
                    found = self._error_checkers[name] = checkers.of(member.type, error_name)
        return found

    def _explain(self, method: str | None, failure: Exception, sensitive: bool) -> tuple[bytes, bytes | None]:
        return explain(method, failure, self._error_checker, sensitive)

    def _descriptors_of(self, interface: str, declared: int | None) -> int:
        """How many descriptors have to come with a call of a method, as MethodPlan takes it."""
        if interface not in self._with_descriptors:
            return -2
        return -1 if declared is None else declared

    def _plan(self, name: str) -> MethodPlan:
        """How the method of this qualified name is called; a VarlinkError if it cannot be."""
        interface_name, _, method_name = name.rpartition(".")
        if not interface_name or not method_name:
            raise MethodNotFound(name)
        interface = self._interfaces.get(interface_name)
        if interface is None:
            raise InterfaceNotFound(interface_name)
        for member in interface.tree.members:
            if isinstance(member, tree.Method) and member.name == method_name:
                break
        else:
            raise MethodNotFound(name)
        if interface_name not in self._handlers:
            raise MethodNotImplemented(name)
        handler = self._handlers[interface_name]
        definition = definition_of(handler)
        if definition is not None and definition.interface is interface:
            handling = handling_of(handler, member)
            if handling is None:
                raise MethodNotImplemented(name)
            takes, gives = definition.of_method(member)
            return MethodPlan(
                name,
                takes,
                gives,
                handler,
                handling.attribute,
                interface=interface,
                method=member,
                namespaced=False,
                keywords_of=_keywords_of,
                encoder_of=lambda: None,
                defaults=handling.defaults,
                only=handling.only,
                streams=handling.streams,
                live=handling.live,
                upgrades=handling.upgrade,
                descriptors=self._descriptors_of(interface_name, handling.descriptors),
                sensitive=handling.sensitive or interface_name in self._sensitive,
                timeout=handling.timeout,
            )
        options = options_of(getattr(handler, method_name, None))
        checkers = Checkers(interface.tree)
        return MethodPlan(
            name,
            checkers.of(member.input),
            checkers.of(member.output),
            handler,
            method_name,
            interface=interface,
            method=interface.members[method_name],
            namespaced=self._namespaced,
            keywords_of=_keywords_of,
            encoder_of=lambda: encoder_function(self._json_encoder_cls),
            checked=self._check_results,
            upgrades=options.upgrade,
            descriptors=self._descriptors_of(interface_name, options.descriptors),
            sensitive=options.sensitive or interface_name in self._sensitive,
            brief=handler is self,
            timeout=options.timeout,
        )

    def serve(self, *listen_at: str, **options: Any) -> None:
        """Serve until the program is told to end; see fastvarlink.serve()."""
        runner.run(self, *listen_at, **options)

    async def serve_async(self, *listen_at: str, **options: Any) -> None:
        """Serve in the running event loop until the task is cancelled; see fastvarlink.aio.serve()."""
        await runner.run_async(self, *listen_at, **options)

    def serve_connection(
        self, connection: socket, *, limits: Limits | None = None, strict: bool = True
    ) -> None:
        """Serve one connection on the calling thread until it is over, as after an upgrade; close it then.

        ``connection`` is a connected socket. It is over when the peer has closed it and its calls are
        answered, when the peer breaks a rule or exceeds one of ``limits``, or when another thread calls
        ``connection.shutdown(SHUT_RDWR)``. A method may hand it over in its turn: what takes it over then
        runs on the calling thread, too. A peer that may not connect is not served.
        """
        runner.run_connection(self, connection, limits or Limits(), strict)

    async def serve_connection_async(
        self,
        connection: socket,
        *,
        limits: Limits | None = None,
        strict: bool = True,
        drain_time: float = 10.0,
    ) -> None:
        """Serve one connection in the running event loop until it is over; close it then.

        It is as with serve_connection(), and handlers run where those of serve_async() do. Cancelling the
        task lets the calls that have arrived be answered, for up to ``drain_time`` seconds; cancelling it
        once more ends them.
        """
        await runner.run_connection_async(self, connection, limits or Limits(), strict, drain_time)

    def handle(self, message: bytes, _server: Any = None, _request: Any = None) -> Iterator[bytes]:
        """Answer one call without a server: yields the replies, neither with a NUL at its end.

        ``message`` is a call, with or without its NUL. ProtocolError if it is none. Throw an exception
        into the generator when a reply cannot be delivered.
        """
        return respond(self._table, message, _server, _request, Limits())

    def _handle(
        self,
        message: dict[str, Any],
        raw_message: bytes,
        _server: Any = None,
        _request: Any = None,
    ) -> Iterator[dict[str, Any] | VarlinkError]:
        """As handle(), from a dict to dicts; an error reply comes as the exception."""
        call = orjson.dumps(message)
        with contextlib.suppress(ValueError):
            # Handlers that want the bytes get those that came, if they are what the dict was made of.
            if orjson.loads(raw_message.removesuffix(b"\0")) == message:
                call = raw_message
        for reply in self.handle(call, _server, _request):
            decoded: dict[str, Any] = orjson.loads(reply)
            if "error" in decoded:
                yield VarlinkError.new(decoded)
            else:
                decoded.setdefault("parameters", {})
                yield decoded
