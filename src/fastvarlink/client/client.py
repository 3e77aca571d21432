"""The class Client: the way to a service, and what is known of its interfaces."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Sequence
from types import EllipsisType
from typing import Any, ClassVar, Self, TypeVar, overload

from fastvarlink import address as addresses
from fastvarlink._core.channel import Channel
from fastvarlink._core.deadline import checked_timeout
from fastvarlink._core.remote import DirectCarrier
from fastvarlink.busypoll import checked_busy_poll
from fastvarlink.client.carried import SharedCarrier, check_name, open_over
from fastvarlink.client.interceptors import interception_of
from fastvarlink.client.pipeline import Pipeline
from fastvarlink.client.simple import SimpleClientInterfaceHandler, only_channel, typed_channel
from fastvarlink.client.typed import TypedClient
from fastvarlink.client.ways import SocketWay, Way, way_by_activation, way_by_bridge, way_to
from fastvarlink.error import AddressError, InterfaceNotFound
from fastvarlink.idl.base import base_interface
from fastvarlink.idl.interface import Interface
from fastvarlink.interceptor import Interceptor
from fastvarlink.limits import Limits

_Typed = TypeVar("_Typed", bound=TypedClient)

RESOLVER = "unix:/run/org.varlink.resolver"


class Client:
    """The way to a service.

        with Client("unix:/run/org.example.ping") as client, client.open("org.example.ping") as ping:
            print(ping.Ping("hello")["pong"])

    ``address`` is where the service listens, or the program that is to be started for each connection
    (AddressError if it cannot be understood). Instead, ``resolve_interface`` names an interface whose
    service is asked for at ``resolver``, by default the system's. The connection is made by open().
    ``limits`` says what the service may cost; with ``strict=False`` members of a reply that are not known are
    ignored, and null stands for one that is not there.

    ``timeout`` is how many seconds connecting, a call, or the next reply of a stream may take, also for what
    open() asks, before DeadlineExceeded is raised; None for any number. A call's ``_timeout`` replaces it.

    ``busy_poll`` is for how many seconds a thread that waits for a reply asks for it again and again, which
    keeps a core busy, before it sleeps; None or 0 for none.
    """

    # What open() makes; subclasses of Client may bring another.
    handler: ClassVar[Callable[..., Any]] = SimpleClientInterfaceHandler
    limits = Limits()
    strict = True
    timeout: float | None = None
    busy_poll = 0.0

    def __init__(
        self,
        address: str | None = None,
        resolve_interface: str | None = None,
        resolver: str | None = None,
        *,
        limits: Limits | None = None,
        strict: bool | None = None,
        timeout: float | None = None,
        busy_poll: float | None = None,
        interceptors: Iterable[Interceptor] = (),
    ) -> None:
        self._interception = interception_of(interceptors)
        if timeout is not None:
            self.timeout = checked_timeout(timeout)
        if limits is not None:
            self.limits = limits
        if strict is not None:
            self.strict = strict
        self.busy_poll = checked_busy_poll(self.busy_poll if busy_poll is None else busy_poll)
        self._interfaces: dict[str, Interface] = {}
        self._socket: socket.socket | None = None
        self._socket_fn: Callable[..., Any] | None = None
        self._way: Way | None = None
        # The one connection of a client that was made over it.
        self._channel: Channel | None = None
        self._carrier: SharedCarrier | None = None
        self._str = "Client<uninitialized>"
        self.info: dict[str, Any] = {}
        self.add_interface(self._get_base_interface())
        if resolve_interface:
            self._with_resolved_interface(resolve_interface, resolver)
        if address:
            self._with_address(address)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.cleanup()

    def __str__(self) -> str:
        return self._str

    @staticmethod
    def _get_base_interface() -> Interface:
        return base_interface()

    # ---- where the service is

    @classmethod
    def new_with_address(cls, address: str) -> Self:
        """A client of the service at an address. AddressError if it cannot be understood."""
        return cls()._with_address(address)

    def _with_address(self, address: str) -> Self:
        return self._with_way(way_to(address), address)

    def _with_way(self, way: Way, name: str) -> Self:
        self._way = way
        self._socket_fn = way.open
        self._str = name
        return self

    @classmethod
    def new_with_resolved_interface(cls, interface: str, resolver_address: str | None = None) -> Self:
        """A client of the service that a resolver names for an interface."""
        return cls()._with_resolved_interface(interface, resolver_address)

    def _with_resolved_interface(self, interface: str, resolver_address: str | None = None) -> Self:
        resolver_address = resolver_address or RESOLVER
        if interface == "org.varlink.resolver":
            return self._with_address(resolver_address)
        with (
            Client(resolver_address, timeout=self.timeout) as client,
            client.open("org.varlink.resolver") as resolver,
        ):
            address = resolver.Resolve(interface)["address"]
            # Another form could have a program started here, by whoever answers for the resolver.
            return self._with_way(SocketWay(addresses.parse(address)), address)

    @classmethod
    def new_with_activate(cls, argv: Sequence[str]) -> Self:
        """A client of a service that is started with a listening socket, as systemd would do it.

        ``argv`` is the command; ``$VARLINK_ADDRESS`` in its words stands for the address.
        """
        return cls()._with_activate(argv)

    def _with_activate(self, argv: Sequence[str]) -> Self:
        way = way_by_activation(argv)
        return self._with_way(way, str(way))

    @classmethod
    def new_with_bridge(cls, argv: Sequence[str]) -> Self:
        """A client over the standard input and output of a command, run anew for each connection."""
        return cls()._with_bridge(argv)

    def _with_bridge(self, argv: Sequence[str]) -> Self:
        return self._with_way(way_by_bridge(argv), f"Bridge with: '{' '.join(argv)}'")

    @classmethod
    def over(
        cls,
        connection: socket.socket,
        *,
        limits: Limits | None = None,
        strict: bool | None = None,
        timeout: float | None = None,
        busy_poll: float | None = None,
        interceptors: Iterable[Interceptor] = (),
    ) -> Self:
        """A client of whoever serves at the other end of a connection, as after an upgrade.

            def report(connection):  # given to Context.take_over()
                with Client.over(connection) as client, client.open("org.example.progress") as progress:
                    progress.Done()

        The connection is a plain socket (TypeError) and the client's from here on: all its handlers share it,
        it is closed by cleanup() or at the end of the block, and there is never another one. A call that runs
        out of time, or a stream that is left, ends it. Closing a handler does not.
        """
        client = cls(busy_poll=busy_poll, interceptors=interceptors)
        for name, value in (("limits", limits), ("strict", strict), ("timeout", checked_timeout(timeout))):
            if value is not None:
                setattr(client, name, value)
        client._channel = only_channel(connection, client.limits, client.strict, client.busy_poll)
        client._carrier = SharedCarrier(client._channel, client.timeout)
        client._carrier.interception = client._interception
        client._str = "Client over a connection"
        return client

    @property
    def _child_pid(self) -> int:
        """The process that was started last, 0 if none was."""
        return 0 if self._way is None else self._way.pid

    @property
    def _tmpdir(self) -> str | None:
        return None if self._way is None else self._way.folder

    def cleanup(self) -> None:
        """End the processes that were started for this client, or close the connection it was made over."""
        if self._channel is not None:
            self._channel.close()
        if self._way is not None:
            self._way.end()

    # ---- connections and interfaces

    def open_connection(self, timeout: float | EllipsisType | None = ...) -> Any:
        """A new connection, as a socket. OSError if the service cannot be reached.

        DeadlineExceeded if that takes longer than ``timeout`` seconds, by default those of the client. The
        time that it takes to look up a host's name is not limited, nor is that to start a program.
        """
        if self._channel is not None:
            raise AddressError("This client was made over a connection, and has no way to another one.")
        if self._socket_fn is None:
            raise AddressError(
                "This client has no address: give one, or use one of the new_with_ constructors."
            )
        limit = checked_timeout(self.timeout if timeout is ... else timeout)
        return self._socket_fn() if limit is None else self._socket_fn(limit)

    @overload
    def open(self, interface_name: type[_Typed]) -> _Typed: ...
    @overload
    def open(self, interface_name: str, namespaced: bool = False, connection: Any = None) -> Any: ...
    def open(self, interface_name: Any, namespaced: bool = False, connection: Any = None) -> Any:
        """A handler with the methods of an interface, on a connection of its own.

        With ``connection``, the handler uses that one. With ``namespaced``, structs are SimpleNamespace
        instead of dict. InterfaceNotFound if the service does not have the interface.

        A class that was generated from the interface, in the place of its name, makes an object of that
        class: its definition is known, and results are objects of its types. The service is not asked.
        """
        if connection is None and self._carrier is not None:
            return open_over(self._carrier, interface_name, namespaced, self.definition)
        own = connection is None
        if own:
            connection = self.open_connection()
        try:
            if isinstance(interface_name, type) and issubclass(interface_name, TypedClient):
                reopen = self.open_connection if own else None
                channel = typed_channel(connection, self.limits, self.strict, reopen, self.busy_poll)
                carrier = DirectCarrier(channel, self.timeout)
                carrier.interception = self._interception
                return interface_name(carrier)
            check_name(interface_name)
            interface = self.definition(interface_name, connection)
            return self._make_handler(interface, connection, namespaced, reconnect=own)
        except BaseException:
            if own:
                connection.close()
            raise

    def pipeline(self, timeout: float | EllipsisType | None = ...) -> Pipeline:
        """A connection on which calls do not wait for each other's replies, for a with statement.

        ``timeout`` is how many seconds all of it may take together, by default those of the client.
        """
        limit = checked_timeout(self.timeout if timeout is ... else timeout)
        return Pipeline(
            self.open_connection,
            self.definition,
            self.limits,
            self.strict,
            limit,
            self._interception,
            self.busy_poll,
        )

    def _make_handler(
        self, interface: Interface, connection: Any, namespaced: bool = False, reconnect: bool = False
    ) -> Any:
        make = type(self).handler
        if make is not SimpleClientInterfaceHandler:
            if self._interception is not None:
                raise TypeError(
                    f"Interceptors need the usual handler, and {type(self).__qualname__} brings another: "
                    f"leave one of the two out."
                )
            return make(interface, connection, namespaced=namespaced)
        return make(
            interface,
            connection,
            namespaced,
            limits=self.limits,
            strict=self.strict,
            reopen=self.open_connection if reconnect else None,
            timeout=self.timeout,
            busy_poll=self.busy_poll,
            interception=self._interception,
        )

    def _ask_service(self, connection: Any, method: str, *args: Any) -> Any:
        """Call a method of org.varlink.service, on a connection or, with None, on one made for it."""
        if connection is None and self._carrier is not None:
            over = open_over(self._carrier, "org.varlink.service", False, self.definition)
            return getattr(over, method)(*args)
        own = connection is None
        if own:
            connection = self.open_connection()
        try:
            service = self._make_handler(self._interfaces["org.varlink.service"], connection)
            return getattr(service, method)(*args)
        finally:
            if own:
                connection.close()

    def get_interfaces(self, socket_connection: Any = None) -> list[str]:
        """The names of the service's interfaces; ``info`` then has all that GetInfo told."""
        self.info = self._ask_service(socket_connection, "GetInfo")
        interfaces: list[str] = self.info["interfaces"]
        return interfaces

    def get_interface(self, interface_name: str, socket_connection: Any = None) -> Interface:
        """Ask the service for the definition of an interface, and remember it for open()."""
        reply = self._ask_service(socket_connection, "GetInterfaceDescription", interface_name)
        interface = Interface.read(reply["description"], interface_name)
        self._interfaces[interface.name] = interface
        return interface

    def definition(self, interface_name: str, connection: Any = None) -> Interface:
        """The definition of an interface. The service is asked once; InterfaceNotFound if it has none."""
        if interface_name not in self._interfaces:
            self.get_interface(interface_name, socket_connection=connection)
        if interface_name not in self._interfaces:
            raise InterfaceNotFound(interface_name)
        return self._interfaces[interface_name]

    def add_interface(self, interface: Interface) -> None:
        """Have open() use this definition, instead of asking the service for it."""
        if not isinstance(interface, Interface):
            raise TypeError(
                f"An Interface can be added, not a {type(interface).__name__}: make one of a text "
                f"with Interface(text)."
            )
        self._interfaces[interface.name] = interface
