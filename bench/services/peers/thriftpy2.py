"""Thrift by thriftpy2: the binary protocol and the buffered transport, both compiled.

Its client has no public way to have a second call under way before the first is answered.
"""

import io
from collections.abc import Callable
from typing import Any

import thriftpy2
from thriftpy2.protocol import TCyBinaryProtocolFactory
from thriftpy2.rpc import make_client, make_server
from thriftpy2.transport import TCyBufferedTransportFactory

DEFINITION = "service Ping { string Ping(1: string ping) }"
WIRE: Any = {"proto_factory": TCyBinaryProtocolFactory(), "trans_factory": TCyBufferedTransportFactory()}
interface: Any = thriftpy2.load_fp(io.StringIO(DEFINITION), "ping_thrift")


class Service:
    """The method of the interface."""

    def Ping(self, ping: str) -> str:
        """Answer with what was given."""
        return ping


def serve(path: str, ready: Callable[[], None]) -> None:
    """Serve until the process is ended, each connection on a thread."""
    server = make_server(interface.Ping, Service(), unix_socket=path, **WIRE)
    listen = server.trans.listen

    def listen_and_say_so() -> None:
        listen()
        ready()

    server.trans.listen = listen_and_say_so
    server.serve()


def connect(path: str) -> tuple[Callable[[str], str], None]:
    """Return what makes a call."""
    return make_client(interface.Ping, unix_socket=path, timeout=None, **WIRE).Ping, None
