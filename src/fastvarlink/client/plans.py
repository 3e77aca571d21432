"""What a client knows of an interface before it calls: its methods' checkers and its errors' classes."""

from __future__ import annotations

import weakref
from typing import Any

from fastvarlink._core.call import CallPlan
from fastvarlink.error import VarlinkError
from fastvarlink.idl import tree
from fastvarlink.idl.checkers import Checkers
from fastvarlink.idl.interface import Interface

_plans: weakref.WeakKeyDictionary[Interface, InterfacePlans] = weakref.WeakKeyDictionary()


class InterfacePlans:
    """The plans of one interface's methods and the exceptions of its errors, made at first use."""

    def __init__(self, interface: Interface) -> None:
        self._checkers = Checkers(interface.tree)
        self._name = interface.name
        self._methods: dict[str, tree.Method] = {}
        self.errors: dict[str, type[VarlinkError]] = {}
        self._calls: dict[str, CallPlan] = {}
        for member in interface.tree.members:
            if isinstance(member, tree.Method):
                self._methods[member.name] = member
            elif isinstance(member, tree.Error):
                self.errors[member.name] = type(
                    member.name, (VarlinkError,), {"__doc__": member.doc, "__module__": interface.name}
                )

    def call(self, method: str) -> CallPlan:
        """The plan of a method. KeyError if there is none of that name."""
        plan = self._calls.get(method)
        if plan is None:
            declared = self._methods[method]
            plan = self._calls[method] = CallPlan(
                f"{self._name}.{method}",
                self._checkers.of(declared.input),
                self._checkers.of(declared.output),
                self.error,
            )
        return plan

    def error(self, message: dict[str, Any], namespaced: bool) -> VarlinkError:
        """The exception for an error reply: of the class of its name, if the interface declares it."""
        interface, _, name = message["error"].rpartition(".")
        declared = self.errors.get(name) if interface == self._name else None
        if declared is not None and interface != "org.varlink.service":
            return declared(message)
        return VarlinkError.new(message)


def plans_of(interface: Interface) -> InterfacePlans:
    """The plans of an interface, made once for each Interface object."""
    plans = _plans.get(interface)
    if plans is None:
        plans = _plans[interface] = InterfacePlans(interface)
    return plans
