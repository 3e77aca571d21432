"""The client's side of an interface: an object with its methods, over a transport of any kind."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import orjson

from fastvarlink.client.plans import plans_of
from fastvarlink.error import ConnectionBusy, ProtocolError, VarlinkError
from fastvarlink.idl.interface import Interface
from fastvarlink.idl.scanner import _Method


class ClientInterfaceHandler:
    """An object with the methods of an interface.

    Subclasses bring the transport: close(), _send_message() and _next_message(). A method takes its
    parameters by position or by name and returns a dict (with ``namespaced`` a SimpleNamespace); with
    ``_more=True`` it returns an iterator of replies, with ``_oneway=True`` None at once. An error reply
    is raised as a VarlinkError, of a class of the error's own name where the interface declares it:
    the handler has these classes as attributes, beside the methods.
    """

    def __init__(self, interface: Interface, namespaced: bool = False) -> None:
        if not isinstance(interface, Interface):
            raise TypeError(f"A handler is made for an Interface, not for a {type(interface).__name__}.")
        self._interface = interface
        self._namespaced = namespaced
        self._busy = False
        self._plans = plans_of(interface)
        for error_class in self._plans.errors.values():
            setattr(self, error_class.__name__, error_class)
        for member in interface.members.values():
            if isinstance(member, _Method):
                self._add_method(member)

    @property
    def _in_use(self) -> bool:
        return self._is_busy()

    @_in_use.setter
    def _in_use(self, value: bool) -> None:
        self._busy = value

    def _is_busy(self) -> bool:
        return self._busy

    def close(self) -> None:
        """Close the connection. To be implemented by subclasses."""
        raise NotImplementedError

    def _send_message(self, out: bytes) -> None:
        """Send a message, given without its NUL. To be implemented by subclasses."""
        raise NotImplementedError

    def _next_message(self) -> Iterator[str]:
        """Yield received messages, each without its NUL. To be implemented by subclasses."""
        raise NotImplementedError

    def _add_method(self, method: _Method) -> None:
        name = method.name

        def call(*args: Any, _more: bool = False, **kwargs: Any) -> Any:
            if "_timeout" in kwargs:
                raise TypeError(
                    f"{name} was called with _timeout, which only a handler over a socket can do."
                )
            if _more:
                return self._call_more(name, *args, **kwargs)
            return self._call(name, *args, **kwargs)

        call.__name__ = name
        call.__doc__ = "\n".join(text for text in (method.doc, method.signature) if text)
        setattr(self, name, call)

    def _next_varlink_message(self) -> tuple[Any, bool]:
        """The parameters of the next reply, and whether more follow. Raises what an error reply says."""
        message = json.loads(next(self._next_message()))
        if not isinstance(message, dict):
            raise ProtocolError("The service has sent a reply that is not an object.")
        if message.get("parameters") is None:
            message["parameters"] = {}
        if message.get("error") is not None:
            self._busy = False
            raise self._plans.error(message, self._namespaced)
        return message["parameters"], bool(message.get("continues", False))

    def _begin(self) -> None:
        if self._busy:
            raise ConnectionBusy(
                "A call is still in progress on this connection: read its replies to the end first, "
                "or open a second connection."
            )
        self._busy = True

    def _call(self, method_name: str, *args: Any, _oneway: bool = False, **kwargs: Any) -> Any:
        """Call a method and return its result."""
        plan = self._plans.call(self._interface.get_method(method_name).name)
        message: dict[str, Any] = {"method": plan.name}
        if _oneway:
            message["oneway"] = True
        parameters = plan.parameters(args, kwargs)
        if parameters != b"{}":
            message["parameters"] = orjson.Fragment(parameters)
        self._begin()
        try:
            self._send_message(orjson.dumps(message))
            if _oneway:
                return None
            result, continues = self._next_varlink_message()
            if continues:
                self.close()
                raise ProtocolError(
                    "The connection has been closed: the service sends several replies to a call that "
                    "asked for one."
                )
        finally:
            self._busy = False
        return plan.result(result, self._namespaced)

    def _call_more(self, method_name: str, *args: Any, **kwargs: Any) -> Iterator[Any]:
        """Call a method and yield its replies. Leaving before the last one closes the connection."""
        plan = self._plans.call(self._interface.get_method(method_name).name)
        parameters = orjson.Fragment(plan.parameters(args, kwargs))
        self._begin()
        complete = False
        try:
            self._send_message(orjson.dumps({"method": plan.name, "more": True, "parameters": parameters}))
            while not complete:
                try:
                    result, continues = self._next_varlink_message()
                except VarlinkError:
                    complete = True
                    raise
                complete = not continues
                yield plan.result(result, self._namespaced)
        finally:
            self._busy = False
            if not complete:
                self.close()
