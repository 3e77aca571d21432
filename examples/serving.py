"""What the examples have in common: their options, and a server that ends when it is told to."""

from __future__ import annotations

import argparse
import contextlib
import signal
from types import FrameType
from typing import Any, NoReturn

import fastvarlink as varlink


def options(about: str, address: str | None = None) -> argparse.ArgumentParser:
    """A parser for --varlink=ADDRESS and --client. Without a default address one must be given."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument(
        "--varlink",
        metavar="ADDRESS",
        default=address,
        required=address is None,
        help="where the service is: unix:/path, unix:@name or tcp:host:port",
    )
    parser.add_argument("--client", action="store_true", help="call the service, do not be it")
    return parser


def serve(service: varlink.Service, address: str) -> None:
    """Serve until SIGTERM, ctrl-C or a handler's shutdown(). Prints one line when ready."""

    class Handler(varlink.RequestHandler):
        pass

    Handler.service = service

    def stop(_number: int, _frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    with (
        contextlib.suppress(KeyboardInterrupt),
        varlink.ThreadingServer(address, Handler) as server,
    ):
        print(f"Listening on {listening_address(address, server)}", flush=True)
        server.serve_forever()


def listening_address(address: str, server: Any) -> str:
    """The address as clients need it: port 0 becomes the port that the kernel chose."""
    if not address.startswith("tcp:") or not address.endswith(":0"):
        return address
    return f"{address.removesuffix('0')}{server.socket.getsockname()[1]}"
