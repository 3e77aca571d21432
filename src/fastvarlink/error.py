"""Every exception that fastvarlink raises of its own accord.

    Error                                the root
    +-- VarlinkError                     an error reply, received or to be sent
    |   +-- InterfaceNotFound            org.varlink.service.*, one class each
    |   +-- MethodNotFound
    |   +-- MethodNotImplemented
    |   +-- InvalidParameter
    |   |   +-- MissingDescriptor       that a message did not bring       (also IndexError)
    |   +-- PermissionDenied
    |   +-- ExpectedMore
    |   +-- ExpectedUpgrade
    |   +-- TimedOut                     a handler took longer than it may; fastvarlink.service.TimedOut
    |   +-- InterfaceError               what an interface declares; one class each, by its annotations
    +-- AddressError                     an address that cannot be understood  (also ConnectionError)
    +-- ConnectionLost                   the peer has gone                     (also BrokenPipeError)
    +-- ProtocolError                    the peer broke the protocol           (also ConnectionError)
    +-- DeadlineExceeded                 a call took longer than it may        (also TimeoutError)
    +-- ConnectionBusy                   a stream occupies the connection      (also ConnectionError)
    +-- ForkDetected                     a connection of the parent process    (also RuntimeError)
    +-- WorkerError                      the workers of a service do not start (also RuntimeError)
    +-- MessageTooLarge                  an outgoing message over the limit    (also ValueError)
    +-- EncodingError                    a value that JSON cannot carry        (also TypeError, ValueError)
    +-- ResultMismatch                   a handler's result against its declaration

Connection faults are also the built-in exceptions that programs written for the package ``varlink``
catch. ``OSError`` from the system's own calls (a refused connect, say) is passed on as it is.

The module has the name that those programs import. They also replace ``VarlinkEncoder`` in it, which is
why it is looked up at each use.
"""

from __future__ import annotations

import json
from builtins import BrokenPipeError, ConnectionError
from collections.abc import Set
from types import SimpleNamespace
from typing import Any, Self, dataclass_transform

__all__ = [
    "AddressError",
    "BrokenPipeError",
    "ConnectionBusy",
    "ConnectionError",
    "ConnectionLost",
    "DeadlineExceeded",
    "EncodingError",
    "Error",
    "ExpectedMore",
    "ExpectedUpgrade",
    "ForkDetected",
    "InterfaceError",
    "InterfaceNotFound",
    "InvalidParameter",
    "MessageTooLarge",
    "MethodNotFound",
    "MethodNotImplemented",
    "MissingDescriptor",
    "PermissionDenied",
    "ProtocolError",
    "ResultMismatch",
    "TimedOut",
    "VarlinkEncoder",
    "VarlinkError",
    "WorkerError",
]


class Error(Exception):
    """Root of all errors raised by fastvarlink itself."""


class AddressError(Error, ConnectionError):
    """An address that cannot be understood; the message quotes it and says what is wrong."""


class ConnectionLost(Error, BrokenPipeError):
    """The connection ended while a reply was outstanding, or before a call could be sent."""


class ProtocolError(Error, ConnectionError):
    """The peer sent something the protocol does not allow. The connection has been closed."""


class DeadlineExceeded(Error, TimeoutError):
    """A call, the next reply of a stream, or connecting took longer than its time limit.

    ``method`` is the full name of the method, None where there is none; ``seconds`` the limit. The connection
    has been closed, unless the message says that the call was not sent.
    """

    def __init__(self, message: str, method: str | None, seconds: float) -> None:
        super().__init__(message)
        self.method = method
        self.seconds = seconds


class ConnectionBusy(Error, ConnectionError):
    """A call was made while a stream of replies is still being read from the same connection."""


class ForkDetected(Error, RuntimeError):
    """A connection or a server was used by a process forked from the one that made it. Nothing was sent."""


class WorkerError(Error, RuntimeError):
    """The workers that are to serve a service have ended before they were ready."""


class MessageTooLarge(Error, ValueError):
    """An outgoing message exceeds the limit. Nothing of it was sent; the connection is usable."""


class EncodingError(Error, TypeError, ValueError):
    """A value that cannot be sent as JSON: NaN, an int beyond 64 bits, a key that is no string.

    ``path`` says where in the message it stands, as in ``user.address[2].zip``.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path or 'the message'} {reason}.")
        self.path = path
        self.reason = reason


class ResultMismatch(Error):
    """What a handler returned does not fit the method's declaration. ``path`` says where."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path or 'the result'} {reason}.")
        self.path = path
        self.reason = reason


class VarlinkEncoder(json.JSONEncoder):
    """A JSON encoder that also knows sets, namespaces and Varlink errors.

    A set becomes an object with an empty object for each element, a SimpleNamespace the object of
    its attributes, a VarlinkError its wire form.
    """

    def default(self, o: Any) -> Any:
        if isinstance(o, Set):
            return {element: {} for element in o}
        if isinstance(o, SimpleNamespace):
            return vars(o)
        if isinstance(o, VarlinkError):
            return o.as_dict()
        return super().default(o)


def _plain(value: Any) -> Any:
    """A copy of value in nothing but JSON's types, as the current VarlinkEncoder writes them.

    What is nested too deeply for the module json, as an error reply can be, is returned as it is.
    """
    try:
        return json.loads(json.dumps(value, cls=VarlinkEncoder))
    except RecursionError:
        return value


def _namespace(value: Any) -> Any:
    return json.loads(json.dumps(value), object_hook=lambda members: SimpleNamespace(**members))


def _member(container: Any, name: str, default: Any = None) -> Any:
    """A member of a dict or an attribute of a namespace, whichever container is."""
    if isinstance(container, dict):
        return container.get(name, default)
    return getattr(container, name, default)


class VarlinkError(Error):
    """An error reply. Raised by calls; raise it (or a subclass) in a handler to send it.

    ``message`` is the wire form, ``{"error": NAME, "parameters": {...}}``. It is kept in
    ``args[0]``, in plain JSON types. The parameters are attributes as well.
    """

    @classmethod
    def new(cls, message: Any, namespaced: bool = False) -> VarlinkError:
        """The exception for a received error reply: a standard subclass where the name is known."""
        known = _STANDARD.get(_member(message, "error"))
        if known is not None:
            return known.new(message, namespaced)
        return cls(message, namespaced)

    def __init__(self, message: Any, namespaced: bool = False) -> None:
        if not namespaced and not isinstance(message, dict):
            raise TypeError(
                f"A VarlinkError is made from a dict with 'error' and 'parameters', "
                f"not from {type(message).__name__}."
            )
        super().__init__(_plain(message))

    def __getattr__(self, name: str) -> Any:
        # Reached for what is no attribute: a parameter of the error (rule R5).
        parameters = self.args[0].get("parameters") if self.args else None
        if isinstance(parameters, dict) and name in parameters:
            return parameters[name]
        raise AttributeError(f"The error {self.args[:1]} has no parameter {name!r}.")

    def error(self) -> Any:
        """The qualified name of the error, None when the message had none."""
        return self.args[0].get("error")

    def parameters(self, namespaced: bool = False) -> Any:
        """The parameters of the error: a dict (None when absent), or attributes of a namespace."""
        if namespaced:
            return _namespace(self.args[0]["parameters"])
        return self.args[0].get("parameters")

    def as_dict(self) -> Any:
        """The wire form."""
        return self.args[0]


class _Standard(VarlinkError):
    """Shape of the errors of org.varlink.service: a name and at most one parameter."""

    _name = ""
    _parameter = ""

    @classmethod
    def new(cls, message: Any, namespaced: bool = False) -> Self:
        parameters = _member(message, "parameters") or {}
        return cls(_member(parameters, cls._parameter))

    def __init__(self, value: Any = None) -> None:
        if isinstance(value, BaseException):
            # Programs hand over the exception that made the parameter invalid.
            value = str(value)
        parameters = {self._parameter: value} if self._parameter else {}
        super().__init__({"error": self._name, "parameters": parameters})


class InterfaceNotFound(_Standard):
    """The service has no such interface."""

    _name = "org.varlink.service.InterfaceNotFound"
    _parameter = "interface"

    def __init__(self, interface: Any) -> None:
        super().__init__(interface)


class MethodNotFound(_Standard):
    """The interface declares no such method."""

    _name = "org.varlink.service.MethodNotFound"
    _parameter = "method"

    def __init__(self, method: Any) -> None:
        super().__init__(method)


class MethodNotImplemented(_Standard):
    """The interface declares the method, but the service has no code for it."""

    _name = "org.varlink.service.MethodNotImplemented"
    _parameter = "method"

    def __init__(self, method: Any) -> None:
        super().__init__(method)


class InvalidParameter(_Standard):
    """A parameter is missing, unknown, or of the wrong type; named by its path."""

    _name = "org.varlink.service.InvalidParameter"
    _parameter = "parameter"

    def __init__(self, name: Any) -> None:
        super().__init__(name)


class MissingDescriptor(InvalidParameter, IndexError):
    """A file descriptor was asked for that has not come with the message, or was taken already.

    A handler that goes by a number in its parameters can let it through: the caller is told by
    InvalidParameter.
    """

    def __init__(self, index: Any, count: int) -> None:
        super().__init__("descriptors")
        self.index = index
        self.count = count

    def __str__(self) -> str:
        return f"There is no descriptor {self.index}: {self.count} came with the message, or it was taken."


class PermissionDenied(_Standard):
    """The caller may not do this."""

    _name = "org.varlink.service.PermissionDenied"


class ExpectedMore(_Standard):
    """The method streams its replies and must be called with ``more``."""

    _name = "org.varlink.service.ExpectedMore"


class ExpectedUpgrade(_Standard):
    """The method takes over the connection and must be called with ``upgrade``."""

    _name = "org.varlink.service.ExpectedUpgrade"


class TimedOut(_Standard):
    """A handler took longer than its service lets it."""

    _name = "fastvarlink.service.TimedOut"
    _parameter = "method"

    def __init__(self, method: Any) -> None:
        super().__init__(method)


@dataclass_transform(kw_only_default=True)
class InterfaceError(VarlinkError):
    """Base of the errors that an interface declares. The annotations of a subclass are its parameters:

        class NotFound(InterfaceError):
            name: str
            similar: list[str] | None = None

        raise NotFound(name="x")

    Parameters are attributes. A parameter that is called like a keyword of Python, or like something that
    each exception has, has an underscore behind its name. What is not given is None, or what the class says.
    """

    _qualified = ""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if taken := RESERVED.intersection(cls._fields()):
            name = min(taken)
            raise TypeError(f"{cls.__qualname__} cannot call a parameter {name!r}: call it '{name}_'.")

    def __init__(self, *args: Any, **parameters: Any) -> None:
        names = self._fields()
        if len(args) > len(names):
            raise TypeError(f"{type(self).__name__} takes {len(names)} parameters, not {len(args)}.")
        given = dict(zip(names, args, strict=False))
        for name, value in parameters.items():
            if name not in names or name in given:
                fault = "has two values" if name in given else "is not declared"
                raise TypeError(f"The parameter {name!r} of {type(self).__name__} {fault}.")
            given[name] = value
        Exception.__init__(self, *given.values())
        for name in names:
            setattr(self, name, given.get(name, self._default_of(name)))

    @classmethod
    def _fields(cls) -> list[str]:
        """The attributes that are parameters, in the order of the classes."""
        names: dict[str, None] = {}
        for base in reversed(cls.__mro__):
            if issubclass(base, InterfaceError) and base is not InterfaceError:
                annotations = base.__annotations__
                names.update(dict.fromkeys(n for n in annotations if not n.startswith("_")))
        return list(names)

    @classmethod
    def _default_of(cls, name: str) -> Any:
        """What an attribute is when it is not given."""
        return next((vars(base)[name] for base in cls.__mro__ if name in vars(base)), None)

    @classmethod
    def _qualify(cls, name: str) -> None:
        """Set the full name on the wire. TypeError if the class stands for another error already."""
        if cls._qualified not in {"", name}:
            raise TypeError(f"{cls.__qualname__} stands for {cls._qualified}, so it cannot stand for {name}.")
        cls._qualified = name

    def error(self) -> str:
        """The full name of the error."""
        return self._qualified or type(self).__name__

    def parameters(self, namespaced: bool = False) -> Any:
        """The parameters as they were given, without those that are None."""
        values = {name: getattr(self, name) for name in self._fields()}
        given = {name.removesuffix("_"): value for name, value in values.items() if value is not None}
        return SimpleNamespace(**given) if namespaced else given

    def as_dict(self) -> dict[str, Any]:
        """The wire form, with the parameters as they were given."""
        return {"error": self.error(), "parameters": self.parameters()}

    def __str__(self) -> str:
        parameters = ", ".join(f"{name}={value!r}" for name, value in self.parameters().items())
        return f"{self.error()}({parameters})"

    def __reduce__(self) -> Any:
        return _make_again, (type(self), {name: getattr(self, name) for name in self._fields()})

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"{type(self).__name__} has no parameter {name!r}.")


def _make_again(cls: type[InterfaceError], parameters: dict[str, Any]) -> InterfaceError:
    return cls(**parameters)


# What every error has, and what its methods call it: its parameters cannot have these names.
RESERVED = frozenset({"add_note", "args", "as_dict", "error", "new", "parameters", "self", "with_traceback"})

_STANDARD: dict[Any, type[_Standard]] = {
    error._name: error
    for error in (
        InterfaceNotFound,
        MethodNotFound,
        MethodNotImplemented,
        InvalidParameter,
        PermissionDenied,
        ExpectedMore,
        ExpectedUpgrade,
        TimedOut,
    )
}
