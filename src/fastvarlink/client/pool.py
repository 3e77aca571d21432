"""The class Pool: several connections to one service, for any number of threads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self, TypeVar, overload

from fastvarlink._core.pool import ChannelPool
from fastvarlink.client.carried import CarriedInterfaceHandler, open_over
from fastvarlink.client.client import Client
from fastvarlink.client.interceptors import interception_of
from fastvarlink.client.typed import TypedClient
from fastvarlink.idl.base import base_interface
from fastvarlink.idl.interface import Interface
from fastvarlink.interceptor import Interceptor
from fastvarlink.limits import Limits

__all__ = ["Pool"]

_Typed = TypeVar("_Typed", bound=TypedClient)


class Pool:
    """The way to a service over several connections, which calls share.

        with Pool("unix:/run/org.example.ping") as pool:
            ping = pool.open("org.example.ping")

    A handler may be used by any number of threads. Each call has a connection for itself until its reply is
    there, each stream until it ends or is left: the one that was used last of those that are idle, a new one
    while there are fewer than ``size``, else the first that becomes free. Waiting for it takes from the time
    of the call. A connection that has ended while it was idle is replaced before the call is sent; a call
    that may have been sent is never repeated. ``_upgrade=True`` takes a connection out of the pool for good.

    Arguments and errors are those of Client. A process that was forked makes connections of its own.
    """

    def __init__(
        self,
        address: str | None = None,
        resolve_interface: str | None = None,
        resolver: str | None = None,
        *,
        size: int = 8,
        limits: Limits | None = None,
        strict: bool | None = None,
        timeout: float | None = None,
        busy_poll: float | None = None,
        interceptors: Iterable[Interceptor] = (),
    ) -> None:
        interceptors = tuple(interceptors)
        if size < 1:
            raise ValueError(f"A pool of {size} connections carries no calls: give 1 or more.")
        self._client = Client(
            address,
            resolve_interface,
            resolver,
            limits=limits,
            strict=strict,
            timeout=timeout,
            busy_poll=busy_poll,
            interceptors=interceptors,
        )
        self._carrier = ChannelPool(
            self._client.open_connection,
            size,
            self._client.limits,
            self._client.strict,
            timeout,
            self._client.busy_poll,
        )
        self._carrier.interception = interception_of(interceptors)
        self._service = CarriedInterfaceHandler(base_interface(), self._carrier)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __str__(self) -> str:
        return str(self._client)

    def close(self) -> None:
        """Close all connections. Calls that wait, for a reply or for their turn, get ConnectionLost."""
        self._carrier.end()
        self._client.cleanup()

    @overload
    def open(self, interface_name: type[_Typed]) -> _Typed: ...
    @overload
    def open(self, interface_name: str, namespaced: bool = False) -> Any: ...
    def open(self, interface_name: Any, namespaced: bool = False) -> Any:
        """A handler with the methods of an interface, as Client.open() returns it. It need not be closed."""
        return open_over(self._carrier, interface_name, namespaced, self._client.definition)

    @property
    def info(self) -> dict[str, Any]:
        """What GetInfo told get_interfaces(), {} before."""
        return self._client.info

    def get_interfaces(self) -> list[str]:
        """The names of the service's interfaces; ``info`` then has all that GetInfo told."""
        return self._client.get_interfaces()

    def get_interface(self, interface_name: str) -> Interface:
        """Ask the service for the definition of an interface, and remember it for open()."""
        return self._client.get_interface(interface_name)

    def add_interface(self, interface: Interface) -> None:
        """Have open() use this definition, instead of asking the service for it."""
        self._client.add_interface(interface)
