"""The client's side of an interface: an object whose methods are awaited."""

from __future__ import annotations

from collections.abc import Callable
from types import EllipsisType
from typing import Any, Self

from fastvarlink._core.call import CallPlan
from fastvarlink.client.plans import plans_of
from fastvarlink.idl.interface import Interface
from fastvarlink.idl.scanner import _Method

__all__ = ["ClientInterfaceHandler"]


class ClientInterfaceHandler:
    """An object with the methods of an interface.

    A method takes its parameters by position or by name. What it returns is awaited: a dict (with
    ``namespaced`` a SimpleNamespace), with ``_oneway=True`` None as soon as the call is written. With
    ``_more=True`` it returns an asynchronous iterator of replies. An error reply is raised as a VarlinkError,
    of a class of the error's own name where the interface declares it: the handler has these classes as
    attributes, beside the methods. ``_timeout`` is how many seconds a call may take, or each reply of a
    stream; DeadlineExceeded is raised then. ``_descriptors`` is a Descriptors, for those that go with the
    call and come with each reply. With ``_upgrade=True`` a call comes to its result and the socket, which
    does not block and speaks another protocol from then on.

    May be shared between tasks. Calls that are made while others wait are written together; replies come in
    the order of the calls, behind the whole of a stream. A call that is cancelled, or runs out of time, does
    no harm to the others that wait; those that are made afterwards go over a new connection. A stream that is
    left before its end closes the connection: other calls that wait on it fail with ConnectionLost.
    """

    def __init__(self, interface: Interface, carrier: Any, namespaced: bool = False) -> None:
        self._carrier = carrier
        plans = plans_of(interface)
        for error_class in plans.errors.values():
            setattr(self, error_class.__name__, error_class)
        for member in interface.members.values():
            if isinstance(member, _Method):
                plan = plans.call(member.name)
                setattr(self, member.name, _remote_method(carrier, plan, member, namespaced))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection. Calls that wait for a reply fail."""
        self._carrier.close()


def _remote_method(carrier: Any, plan: CallPlan, method: _Method, namespaced: bool) -> Callable[..., Any]:
    def call(
        *args: Any,
        _more: bool = False,
        _oneway: bool = False,
        _timeout: float | EllipsisType | None = ...,
        _descriptors: Any = None,
        _upgrade: bool = False,
        **kwargs: Any,
    ) -> Any:
        return carrier.invoke(
            plan, args, _more, _oneway, _timeout, kwargs, namespaced, _descriptors, _upgrade
        )

    call.__name__ = call.__qualname__ = method.name
    call.__doc__ = "\n".join(text for text in (method.doc, method.signature) if text)
    return call
