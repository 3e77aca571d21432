"""Serving a Service: on one thread, on as many as it takes, or in a process for each connection.

Exports what programs import from ``varlink.server`` as well.
"""

from builtins import ConnectionError

from fastvarlink.error import (
    InterfaceNotFound,
    InvalidParameter,
    MethodNotFound,
    MethodNotImplemented,
    VarlinkEncoder,
    VarlinkError,
)
from fastvarlink.idl.interface import Interface
from fastvarlink.server.activation import get_listen_fd
from fastvarlink.server.handler import RequestHandler
from fastvarlink.server.lifecycle import serve
from fastvarlink.server.processes import ForkingServer
from fastvarlink.server.server import Server
from fastvarlink.server.threads import ThreadingServer
from fastvarlink.service import Service, encoders

__all__ = [
    "ConnectionError",
    "ForkingServer",
    "Interface",
    "InterfaceNotFound",
    "InvalidParameter",
    "MethodNotFound",
    "MethodNotImplemented",
    "RequestHandler",
    "Server",
    "Service",
    "ThreadingServer",
    "VarlinkEncoder",
    "VarlinkError",
    "get_listen_fd",
    "serve",
]

# Programs replace VarlinkEncoder here to have their own types encoded.
encoders.places.append(lambda: VarlinkEncoder)
