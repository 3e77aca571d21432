"""Calling services.

Exports what programs import from ``varlink.client`` as well.
"""

from builtins import BrokenPipeError, ConnectionError

from fastvarlink.client.bridge import pipe_bridge
from fastvarlink.client.client import Client
from fastvarlink.client.handler import ClientInterfaceHandler
from fastvarlink.client.simple import SimpleClientInterfaceHandler
from fastvarlink.error import InterfaceNotFound, VarlinkEncoder, VarlinkError
from fastvarlink.idl.interface import Interface

__all__ = [
    "BrokenPipeError",
    "Client",
    "ClientInterfaceHandler",
    "ConnectionError",
    "Interface",
    "InterfaceNotFound",
    "SimpleClientInterfaceHandler",
    "VarlinkEncoder",
    "VarlinkError",
    "pipe_bridge",
]
