"""The errors under the module name that programs written for the package ``varlink`` import."""

from builtins import BrokenPipeError, ConnectionError

from fastvarlink.errors import (
    ExpectedMore,
    ExpectedUpgrade,
    InterfaceNotFound,
    InvalidParameter,
    MethodNotFound,
    MethodNotImplemented,
    PermissionDenied,
    VarlinkEncoder,
    VarlinkError,
)

__all__ = [
    "BrokenPipeError",
    "ConnectionError",
    "ExpectedMore",
    "ExpectedUpgrade",
    "InterfaceNotFound",
    "InvalidParameter",
    "MethodNotFound",
    "MethodNotImplemented",
    "PermissionDenied",
    "VarlinkEncoder",
    "VarlinkError",
]
