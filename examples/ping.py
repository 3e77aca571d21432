"""The smallest service: org.example.ping.

Serve:  python examples/ping.py --varlink=unix:/tmp/ping
Call:   python examples/ping.py --client --varlink=unix:/tmp/ping
"""

from __future__ import annotations

import os

from serving import options, serve

import fastvarlink as varlink

service = varlink.Service(
    vendor="fastvarlink",
    product="Ping example",
    version="1",
    url="https://varlink.org",
    interface_dir=os.path.dirname(os.path.abspath(__file__)),
)


@service.interface("org.example.ping")
class Ping:
    """Answers org.example.ping."""

    def Ping(self, ping: str) -> dict[str, str]:
        return {"pong": ping}


def call(address: str) -> None:
    """Send one ping and print the answer."""
    with varlink.Client(address) as client, client.open("org.example.ping") as connection:
        print(connection.Ping("hello")["pong"])


def main() -> None:
    arguments = options("Sends back what it is given.").parse_args()
    if arguments.client:
        call(arguments.varlink)
    else:
        serve(service, arguments.varlink)


if __name__ == "__main__":
    main()
