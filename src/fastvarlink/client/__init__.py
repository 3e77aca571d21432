"""Calling services.

Exports what programs import from ``varlink.client`` as well.
"""

from builtins import BrokenPipeError, ConnectionError

from fastvarlink.deferred import deferred

TYPE_CHECKING = False
if TYPE_CHECKING:
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

_HOMES = {
    "Client": "fastvarlink.client.client",
    "ClientInterfaceHandler": "fastvarlink.client.handler",
    "Interface": "fastvarlink.idl.interface",
    "InterfaceNotFound": "fastvarlink.error",
    "SimpleClientInterfaceHandler": "fastvarlink.client.simple",
    "VarlinkEncoder": "fastvarlink.error",
    "VarlinkError": "fastvarlink.error",
    "pipe_bridge": "fastvarlink.client.bridge",
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = deferred(__name__, _HOMES, ("programs", "schemes"))
