"""Varlink for Python on a compiled core.

Call a service with Client, offer one with Service and a server. Programs written for the package
``varlink`` run on this one as they are: see install().
"""

from fastvarlink.client import Client, ClientInterfaceHandler, SimpleClientInterfaceHandler
from fastvarlink.dropin import install
from fastvarlink.error import (
    BrokenPipeError,
    ConnectionError,
    InterfaceNotFound,
    InvalidParameter,
    MethodNotFound,
    MethodNotImplemented,
    VarlinkEncoder,
    VarlinkError,
)
from fastvarlink.idl.interface import Interface
from fastvarlink.idl.scanner import Scanner
from fastvarlink.server import (
    ForkingServer,
    RequestHandler,
    Server,
    Service,
    ThreadingServer,
    get_listen_fd,
)

__all__ = [
    "BrokenPipeError",
    "Client",
    "ClientInterfaceHandler",
    "ConnectionError",
    "ForkingServer",
    "Interface",
    "InterfaceNotFound",
    "InvalidParameter",
    "MethodNotFound",
    "MethodNotImplemented",
    "RequestHandler",
    "Scanner",
    "Server",
    "Service",
    "SimpleClientInterfaceHandler",
    "ThreadingServer",
    "VarlinkEncoder",
    "VarlinkError",
    "get_listen_fd",
    "install",
]
