"""Varlink for Python on a compiled core.

Call a service with Client, offer one with Service and a server. Programs written for the package
``varlink`` run on this one as they are: see install().
"""

from fastvarlink.client import Client, ClientInterfaceHandler, SimpleClientInterfaceHandler
from fastvarlink.dropin import install
from fastvarlink.dropin import load_tests as load_tests  # for unittest, as in the original
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
from fastvarlink.scanner import Interface, Scanner
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
