"""A service that runs as a program of its own: program.py WAY [ADDRESS].

The ways: ``address`` serves at an address, or at the listening socket that was passed; ``environment`` at
the address that the environment names; ``passed`` serves connections that were passed; ``streams`` serves
standard input and output. A server says on standard output that it listens.
"""

import sys

import fastvarlink
from fastvarlink._core.terms import Terms
from fastvarlink._core.waiting import WaitingConnection
from fastvarlink.limits import Limits
from fastvarlink.server.activation import environment_address, passed_sockets
from fastvarlink.server.streams import take_standard_streams

service = fastvarlink.Service(vendor="Example", product="Program", version="1", url="https://example.com")


@service.interface("interface org.example.program\nmethod Say(text: string) -> (text: string)\n")
class Handlers:
    def Say(self, text: str) -> dict[str, str]:
        print(text)
        return {"text": text}


def listen_at(address: str) -> None:
    with fastvarlink.ThreadingServer(address, service) as server:
        print("listening", flush=True)
        server.serve_forever()


def serve(connection: object) -> None:
    WaitingConnection(connection, None, service._table, Terms(Limits())).serve()


match sys.argv[1]:
    case "address":
        listen_at(sys.argv[2])
    case "environment":
        listen_at(environment_address() or "")
    case "passed":
        for passed in passed_sockets():
            assert not passed.listening
            serve(passed.socket)
    case "streams":
        serve(take_standard_streams())
        print("served")
