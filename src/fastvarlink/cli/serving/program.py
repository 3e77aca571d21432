"""A service as a program: the options of whoever starts it, its sockets, what it says, its end."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator

from fastvarlink.cli.fault import FAILED, MISUSED, UNREACHABLE, fail
from fastvarlink.cli.numbers import how_many, span
from fastvarlink.cli.serving.loading import CannotLoad
from fastvarlink.error import AddressError, WorkerError
from fastvarlink.limits import Limits
from fastvarlink.server.listening import Listening
from fastvarlink.server.program import Manager, Settings, serve_sockets
from fastvarlink.server.server import Server
from fastvarlink.server.supervisor import supervise
from fastvarlink.service import Service

__all__ = ["listening_options", "say", "serve_as_told"]

LEVELS = ("debug", "info", "warning", "error")


def listening_options(parser: ArgumentParser) -> None:
    """Add the options that say where and how to serve."""
    parser.add_argument(
        "--address",
        metavar="ADDRESS",
        action="append",
        default=[],
        help="where to listen: unix:/path, unix:@name, tcp:host:port (0: any port), - for stdin and stdout; "
        "may be there more than once. Sockets passed by systemd take its place, and so does an address in "
        "$SYSTEMD_VARLINK_LISTEN; without it there is $VARLINK_ADDRESS",
    )
    parser.add_argument(
        "--workers", metavar="N", type=how_many, default=1, help="serve with so many processes"
    )
    parser.add_argument(
        "--exit-idle", metavar="SECONDS", type=span, help="end after so long without a connection"
    )
    parser.add_argument(
        "--drain",
        metavar="SECONDS",
        type=span,
        default=10.0,
        help="at the end, let calls go on for so long (10)",
    )
    parser.add_argument(
        "--log-level", choices=LEVELS, default="warning", help="what is logged on stderr; info has each call"
    )
    parser.add_argument("-v", dest="log_level", action="store_const", const="info", help="--log-level=info")


def say(sentence: str) -> None:
    """Tell whoever started the program, if anybody listens."""
    with contextlib.suppress(OSError, AttributeError):
        print(sentence, file=sys.stderr, flush=True)


def _log_as_told(args: Namespace) -> bool:
    """Have the log go to stderr, as much of it as was asked for. True if that is a line for each call."""
    logging.basicConfig(
        level=args.log_level.upper(), format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr
    )
    # A worker that has nothing to serve says so to its supervisor, who passes it on.
    logging.getLogger("fastvarlink.server").addFilter(_is_worth_a_traceback)
    return args.log_level in ("debug", "info")


def _is_worth_a_traceback(record: logging.LogRecord) -> bool:
    return not (record.exc_info and isinstance(record.exc_info[1], CannotLoad))


def _with_access_log(make: Callable[[], Service]) -> Callable[[], Service]:
    """Have what make() returns log each call."""
    from fastvarlink.cli.serving.access import AccessLog

    def logging_too() -> Service:
        service = make()
        service.intercept(AccessLog())
        return service

    return logging_too


def serve_as_told(args: Namespace, make: Callable[[], Service], *, supervised: bool = False) -> None:
    """Serve what make() returns until the program is told to end. Fails with a sentence.

    ``supervised``: by a process of its own even if that is the only one, so that SIGHUP replaces it. make()
    is called in each process that serves; it may raise CannotLoad.
    """
    if _log_as_told(args):
        make = _with_access_log(make)
    settings = Settings(Limits(), True, args.exit_idle, args.drain)
    if supervised or args.workers > 1:
        with _listening(args, False) as listening:
            try:
                supervise(args.workers, make, listening, settings, lambda: _announce(listening))
            except WorkerError as error:
                fail(str(error), FAILED)
        return
    try:
        service = make()
    except CannotLoad as error:
        fail(str(error), FAILED)
    with _listening(args, True) as listening:
        serve_sockets(service, listening, settings, Manager(lambda: _announce(listening)))


@contextlib.contextmanager
def _listening(args: Namespace, connections: bool) -> Iterator[Listening]:
    addresses = args.address
    if not addresses and os.environ.get("VARLINK_ADDRESS"):
        addresses = [os.environ["VARLINK_ADDRESS"]]
    with contextlib.closing(Listening()) as listening:
        try:
            listening.open(tuple(addresses), Server.request_queue_size, connections=True)
        except AddressError as error:
            fail(str(error), MISUSED)
        except OSError as error:
            where = f" at {error.filename}" if error.filename else ""
            fail(f"Nothing can listen{where}: {error.strerror or error}.", UNREACHABLE)
        if listening.connected and not connections:
            fail(
                "Standard input and output, or a connection that was passed, is served by one process: leave "
                "out --workers and --reload.",
                MISUSED,
            )
        yield listening


def _announce(listening: Listening) -> None:
    for address in listening.addresses:
        say(f"Listening on {address}")
