"""Varlink for Python on a compiled core.

Call a service with Client, offer one with Service and a server. Programs written for the package
``varlink`` run on this one as they are: see install().
"""

from fastvarlink.deferred import deferred

TYPE_CHECKING = False
if TYPE_CHECKING:
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

_HOMES = {
    "Answer": "fastvarlink.service.typed",
    "AsyncTypedClient": "fastvarlink.client.typed",
    "Broadcaster": "fastvarlink.service.broadcast",
    "BrokenPipeError": "fastvarlink.error",
    "Call": "fastvarlink._core.interception",
    "Client": "fastvarlink.client",
    "ClientInterfaceHandler": "fastvarlink.client",
    "ConnectionError": "fastvarlink.error",
    "Context": "fastvarlink._core.context",
    "DeadlineExceeded": "fastvarlink.error",
    "Definition": "fastvarlink.idl.definition",
    "Descriptors": "fastvarlink._core.control",
    "ForkingServer": "fastvarlink.server",
    "Interceptor": "fastvarlink.interceptor",
    "Interface": "fastvarlink.scanner",
    "InterfaceError": "fastvarlink.error",
    "InterfaceNotFound": "fastvarlink.error",
    "InvalidParameter": "fastvarlink.error",
    "Limits": "fastvarlink.limits",
    "MethodNotFound": "fastvarlink.error",
    "MethodNotImplemented": "fastvarlink.error",
    "Peer": "fastvarlink.peer",
    "PendingReply": "fastvarlink._core.pipeline",
    "Pipeline": "fastvarlink.client.pipeline",
    "Pool": "fastvarlink.client.pool",
    "RequestHandler": "fastvarlink.server",
    "Scanner": "fastvarlink.scanner",
    "Sensitive": "fastvarlink.idl.annotations",
    "Server": "fastvarlink.server",
    "Service": "fastvarlink.server",
    "SimpleClientInterfaceHandler": "fastvarlink.client",
    "ThreadingServer": "fastvarlink.server",
    "TypedClient": "fastvarlink.client.typed",
    "TypedService": "fastvarlink.service.typed",
    "VarlinkEncoder": "fastvarlink.error",
    "VarlinkError": "fastvarlink.error",
    "get_listen_fd": "fastvarlink.server",
    "install": "fastvarlink.dropin",
    "interface": "fastvarlink.service.declaration",
    "load_tests": "fastvarlink.dropin",
    "method": "fastvarlink.service.declaration",
    "serve": "fastvarlink.server",
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = deferred(__name__, _HOMES, ("client", "error", "scanner", "server"))
