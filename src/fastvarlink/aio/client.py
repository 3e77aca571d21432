"""The class Client: the way to a service, and what is known of its interfaces."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable
from typing import Any, Self, TypeVar, overload
from weakref import WeakSet

from fastvarlink._core.deadline import checked_timeout
from fastvarlink._core.link import is_plain_socket
from fastvarlink._core.taskchannel import TaskChannel
from fastvarlink.aio.carrier import Carrier, SharedCarrier
from fastvarlink.aio.connection import connect
from fastvarlink.aio.deadline import in_time
from fastvarlink.aio.handler import ClientInterfaceHandler
from fastvarlink.client.interceptors import interception_of
from fastvarlink.client.plans import plans_of
from fastvarlink.client.typed import AsyncTypedClient
from fastvarlink.client.ways import Way, way_to
from fastvarlink.error import ConnectionLost, InterfaceNotFound
from fastvarlink.idl.base import base_interface
from fastvarlink.idl.interface import Interface
from fastvarlink.interceptor import Interceptor
from fastvarlink.limits import Limits

_Typed = TypeVar("_Typed", bound=AsyncTypedClient)


def check_class(interface_name: Any) -> None:
    """TypeError for a class that is no AsyncTypedClient."""
    if isinstance(interface_name, type) and not issubclass(interface_name, AsyncTypedClient):
        raise TypeError(
            f"{interface_name.__qualname__} is no AsyncTypedClient: generate an asynchronous client, or "
            f"open it with fastvarlink.Client."
        )


class Client:
    """The way to a service, for the tasks of one event loop.

        async with aio.Client("unix:/run/org.example.ping") as client:
            ping = await client.open("org.example.ping")
            print((await ping.Ping("hello"))["pong"])

    ``address`` is where the service listens, or the program that is to be started for each connection;
    AddressError if it cannot be understood. The connection is made by open(). ``timeout`` is how many seconds
    connecting may take, and each call, and each reply of a stream, unless the call says otherwise. ``limits``
    and ``strict`` are as for fastvarlink.Client.
    """

    limits = Limits()
    strict = True

    def __init__(
        self,
        address: str,
        *,
        timeout: float | None = None,
        limits: Limits | None = None,
        strict: bool | None = None,
        interceptors: Iterable[Interceptor] = (),
    ) -> None:
        self._way: Way | None = way_to(address)
        self._set_up(timeout, limits, strict, interceptors)

    def _set_up(
        self,
        timeout: float | None,
        limits: Limits | None,
        strict: bool | None,
        interceptors: Iterable[Interceptor],
    ) -> None:
        self._interception = interception_of(interceptors, awaited=True)
        self.timeout = checked_timeout(timeout)
        if limits is not None:
            self.limits = limits
        if strict is not None:
            self.strict = strict
        # Of a client that was made over a connection.
        self._only: SharedCarrier | None = None
        self._channels: WeakSet[TaskChannel] = WeakSet()
        self._closed = False
        self._interfaces: dict[str, Interface] = {}
        self.info: dict[str, Any] = {}
        self.add_interface(base_interface())

    @classmethod
    def over(
        cls,
        connection: socket.socket,
        *,
        timeout: float | None = None,
        limits: Limits | None = None,
        strict: bool | None = None,
        interceptors: Iterable[Interceptor] = (),
    ) -> Self:
        """A client of whoever serves at the other end of a connection, as after an upgrade.

        To be called where the event loop runs. The connection is a plain socket (TypeError) and the client's
        from here on: all its handlers share it, it is closed by close() or at the end of the block, and there
        is never another one. Closing a handler leaves it open. When the only call that waits is given up, or
        a stream is left, it ends.
        """
        if not is_plain_socket(connection):
            raise TypeError(
                f"aio.Client.over() needs a connected socket whose bytes have not been read, not "
                f"{type(connection).__qualname__}."
            )
        client = cls.__new__(cls)
        client._way = None
        client._set_up(timeout, limits, strict, interceptors)
        channel = TaskChannel(connection, client.limits, client.strict, asyncio.get_running_loop())
        client._channels.add(channel)
        client._only = SharedCarrier(channel, client.timeout, client._interception)
        return client

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    def __str__(self) -> str:
        return "Client over a connection" if self._way is None else str(self._way)

    async def close(self) -> None:
        """Close all connections of this client, and end what was started for it. Calls that wait fail."""
        self._closed = True
        for channel in list(self._channels):
            channel.close()
        if self._way is not None and self._way.pid:
            await asyncio.to_thread(self._way.end)

    async def _connect(self) -> TaskChannel:
        assert self._way is not None
        channel = await connect(self._way, self.limits, self.strict)
        if self._closed:
            channel.close()
            raise ConnectionLost("The client has been closed.")
        self._channels.add(channel)
        return channel

    async def new_carrier(self) -> Carrier:
        """What carries the calls of one handler."""
        if self._only is not None:
            return self._only
        async with in_time(self.timeout, f"No connection to {self} was made"):
            channel = await self._connect()
        return Carrier(channel, self._connect, self.timeout, self._interception)

    @overload
    async def open(self, interface_name: type[_Typed]) -> _Typed: ...
    @overload
    async def open(self, interface_name: str, namespaced: bool = False) -> Any: ...
    async def open(self, interface_name: Any, namespaced: bool = False) -> Any:
        """A handler with the methods of an interface, on a connection of its own.

        With ``namespaced``, structs are SimpleNamespace instead of dict. InterfaceNotFound if the service
        does not have the interface, OSError if it cannot be reached.

        A class that was generated from the interface, in the place of its name, makes an object of that
        class: its definition is known, and results are objects of its types. The service is not asked.
        """
        check_class(interface_name)
        carrier = await self.new_carrier()
        try:
            if isinstance(interface_name, type):
                return interface_name(carrier)
            if interface_name not in self._interfaces:
                await self._describe(carrier, interface_name)
            if interface_name not in self._interfaces:
                raise InterfaceNotFound(interface_name)
            return ClientInterfaceHandler(self._interfaces[interface_name], carrier, namespaced)
        except BaseException:
            carrier.close()
            raise

    async def get_interfaces(self) -> list[str]:
        """The names of the service's interfaces; ``info`` then has all that GetInfo told."""
        carrier = await self.new_carrier()
        try:
            self.info = await self._ask(carrier, "GetInfo")
        finally:
            carrier.close()
        interfaces: list[str] = self.info["interfaces"]
        return interfaces

    async def get_interface(self, interface_name: str) -> Interface:
        """Ask the service for the definition of an interface, and remember it for open()."""
        carrier = await self.new_carrier()
        try:
            return await self._describe(carrier, interface_name)
        finally:
            carrier.close()

    async def _describe(self, carrier: Carrier, interface_name: str) -> Interface:
        reply = await self._ask(carrier, "GetInterfaceDescription", interface_name)
        interface = Interface.read(reply["description"], interface_name)
        self._interfaces[interface.name] = interface
        return interface

    async def _ask(self, carrier: Carrier, method: str, *arguments: Any) -> Any:
        """Call a method of org.varlink.service."""
        plan = plans_of(self._interfaces["org.varlink.service"]).call(method)
        return await carrier.invoke(plan, arguments, False, False)

    async def definition(self, interface_name: str) -> Interface:
        """The definition of an interface. The service is asked once; InterfaceNotFound if it has none."""
        if interface_name not in self._interfaces:
            await self.get_interface(interface_name)
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
