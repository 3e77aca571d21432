"""Varlink for Python on a compiled core.

Call a service with Client, offer one with Service and a server. Programs written for the package
``varlink`` run on this one as they are: see install().
"""

from fastvarlink._core.context import Context
from fastvarlink._core.control import Descriptors
from fastvarlink._core.interception import Call
from fastvarlink._core.pipeline import PendingReply
from fastvarlink.client import Client, ClientInterfaceHandler, SimpleClientInterfaceHandler
from fastvarlink.client.pipeline import Pipeline
from fastvarlink.client.pool import Pool
from fastvarlink.client.typed import AsyncTypedClient, TypedClient
from fastvarlink.dropin import install
from fastvarlink.dropin import load_tests as load_tests  # for unittest, as in the original
from fastvarlink.error import (
    BrokenPipeError,
    ConnectionError,
    DeadlineExceeded,
    InterfaceError,
    InterfaceNotFound,
    InvalidParameter,
    MethodNotFound,
    MethodNotImplemented,
    VarlinkEncoder,
    VarlinkError,
)
from fastvarlink.idl.annotations import Sensitive
from fastvarlink.idl.definition import Definition
from fastvarlink.interceptor import Interceptor
from fastvarlink.limits import Limits
from fastvarlink.peer import Peer
from fastvarlink.scanner import Interface, Scanner
from fastvarlink.server import (
    ForkingServer,
    RequestHandler,
    Server,
    Service,
    ThreadingServer,
    get_listen_fd,
    serve,
)
from fastvarlink.service.broadcast import Broadcaster
from fastvarlink.service.declaration import interface, method
from fastvarlink.service.typed import Answer, TypedService

__all__ = [
    "Answer",
    "AsyncTypedClient",
    "Broadcaster",
    "BrokenPipeError",
    "Call",
    "Client",
    "ClientInterfaceHandler",
    "ConnectionError",
    "Context",
    "DeadlineExceeded",
    "Definition",
    "Descriptors",
    "ForkingServer",
    "Interceptor",
    "Interface",
    "InterfaceError",
    "InterfaceNotFound",
    "InvalidParameter",
    "Limits",
    "MethodNotFound",
    "MethodNotImplemented",
    "Peer",
    "PendingReply",
    "Pipeline",
    "Pool",
    "RequestHandler",
    "Scanner",
    "Sensitive",
    "Server",
    "Service",
    "SimpleClientInterfaceHandler",
    "ThreadingServer",
    "TypedClient",
    "TypedService",
    "VarlinkEncoder",
    "VarlinkError",
    "get_listen_fd",
    "install",
    "interface",
    "method",
    "serve",
]
