"""What a client knows of an interface before it calls: its methods' checkers and its errors' classes."""

from __future__ import annotations

import copy
import weakref
from typing import Any

from fastvarlink._core.call import CallPlan
from fastvarlink.error import InterfaceError, InvalidParameter, VarlinkError
from fastvarlink.idl import tree
from fastvarlink.idl.checkers import Checkers
from fastvarlink.idl.definition import Definition
from fastvarlink.idl.interface import Interface

_plans: weakref.WeakKeyDictionary[Interface, InterfacePlans] = weakref.WeakKeyDictionary()


class InterfacePlans:
    """The plans of one interface's methods and the exceptions of its errors, made at first use."""

    def __init__(self, interface: Interface, definition: Definition | None = None) -> None:
        """With ``definition``, whose interface it is, results and errors are objects of its classes."""
        self._checkers = Checkers(interface.tree) if definition is None else definition.checkers
        self._typed = definition is not None
        self._name = interface.name
        self._methods: dict[str, tree.Method] = {}
        self.errors: dict[str, type[VarlinkError]] = {}
        self._parameters: dict[str, tree.Struct] = {}
        self._calls: dict[str, CallPlan] = {}
        for member in interface.tree.members:
            if isinstance(member, tree.Method):
                self._methods[member.name] = member
            elif isinstance(member, tree.Error):
                self._parameters[member.name] = member.type
                self.errors[member.name] = (definition.shapes if definition else {}).get(member.name) or type(
                    member.name, (VarlinkError,), {"__doc__": member.doc, "__module__": interface.name}
                )

    def call(self, method: str) -> CallPlan:
        """The plan of a method. KeyError if there is none of that name."""
        plan = self._calls.get(method)
        if plan is None:
            declared = self._methods[method]
            plan = self._calls[method] = CallPlan(
                f"{self._name}.{method}",
                self._checkers.of(declared.input, f"{method}.input"),
                self._checkers.of(declared.output, f"{method}.output"),
                self.error,
                typed=self._typed,
            )
        return plan

    def error(self, message: dict[str, Any], namespaced: bool) -> VarlinkError:
        """The exception for an error reply: of the class of its name, if the interface declares it."""
        interface, _, name = message["error"].rpartition(".")
        declared = self.errors.get(name) if interface == self._name else None
        if declared is not None and interface != "org.varlink.service":
            if not issubclass(declared, InterfaceError):
                return declared(message)
            checker = self._checkers.of(self._parameters[name], name)
            try:
                # A copy, as it is changed on the way.
                error: VarlinkError = checker.accept(copy.deepcopy(message.get("parameters") or {}))
            except (InvalidParameter, RecursionError):
                # It is not what was declared. What came is worth more than the class.
                return VarlinkError.new(message)
            return error
        return VarlinkError.new(message)


def plans_of(interface: Interface) -> InterfacePlans:
    """The plans of an interface, made once for each Interface object."""
    plans = _plans.get(interface)
    if plans is None:
        plans = _plans[interface] = InterfacePlans(interface)
    return plans
