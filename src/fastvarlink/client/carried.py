"""Handlers whose calls are carried by more, or less, than a connection of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

from fastvarlink._core.remote import Carrier, DirectCarrier, RemoteMethod
from fastvarlink.client.handler import ClientInterfaceHandler
from fastvarlink.client.plans import InterfacePlans
from fastvarlink.client.typed import TypedClient
from fastvarlink.idl.interface import Interface
from fastvarlink.idl.scanner import _Method

__all__ = ["CarriedInterfaceHandler", "SharedCarrier", "check_name", "open_over", "remote_method"]


class SharedCarrier(DirectCarrier):
    """Carries calls over a connection that outlives the handlers which make them."""

    def close(self) -> None:
        """Leave the connection as it is."""


def check_name(interface_name: object) -> None:
    """TypeError if this is neither the name of an interface nor a TypedClient."""
    if not isinstance(interface_name, str):
        name = getattr(interface_name, "__qualname__", interface_name)
        raise TypeError(
            f"{name} is neither the name of an interface nor a generated TypedClient; "
            f"fastvarlink.aio.Client opens an AsyncTypedClient."
        )


def open_over(
    carrier: Carrier, interface_name: Any, namespaced: bool, definition: Callable[[str], Interface]
) -> Any:
    """A handler over a carrier, for a TypedClient or the name of an interface with such a definition."""
    if isinstance(interface_name, type) and issubclass(interface_name, TypedClient):
        return interface_name(carrier)
    check_name(interface_name)
    return CarriedInterfaceHandler(definition(interface_name), carrier, namespaced)


def remote_method(carrier: Carrier, plans: InterfacePlans, method: _Method, namespaced: bool) -> RemoteMethod:
    """A method of a handler."""
    doc = "\n".join(text for text in (method.doc, method.signature) if text)
    return RemoteMethod(carrier, plans.call(method.name), namespaced, method.name, doc)


class CarriedInterfaceHandler(ClientInterfaceHandler):
    """A ClientInterfaceHandler over what carries its calls. Closing it leaves that as it is."""

    def __init__(self, interface: Interface, carrier: Carrier, namespaced: bool = False) -> None:
        self._carrier = carrier
        super().__init__(interface, namespaced)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Make no more calls by this handler."""
        self._carrier.close()

    def _add_method(self, method: _Method) -> None:
        setattr(self, method.name, remote_method(self._carrier, self._plans, method, self._namespaced))
