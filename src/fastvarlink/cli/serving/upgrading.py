"""A command as a service: its one method connects the caller with the command's stdin and stdout."""

from __future__ import annotations

import logging
import shutil
import subprocess
from collections.abc import Sequence
from socket import socket
from typing import Any

from fastvarlink.cli.serving.loading import CannotLoad
from fastvarlink.cli.target import is_method
from fastvarlink.service import Service
from fastvarlink.service.declaration import method

__all__ = ["command_service"]

logger = logging.getLogger("fastvarlink.server")


def command_service(called: str, command: Sequence[str]) -> Service:
    """A Service with the one method ``called``, INTERFACE.METHOD. CannotLoad if that or the command is none.

    Each call that asks for an upgrade starts the command, with the connection as its stdin and stdout. When
    the service ends, the command's stdin does.
    """
    if not is_method(called):
        raise CannotLoad(f"{called!r} is no method: write INTERFACE.METHOD, as in org.example.Shell.Open.")
    if shutil.which(command[0]) is None:
        raise CannotLoad(f"There is no program {command[0]!r} to run.")
    interface, _, name = called.rpartition(".")

    def connect(_self: Any, *, _context: Any) -> dict[str, Any]:
        _context.take_over(lambda connection: _run(command, connection))
        return {}

    service = Service()
    text = (
        f"interface {interface}\n\n"
        f"# Connects the caller with a command. The call has to ask for an upgrade.\n"
        f"method {name}() -> ()\n"
    )
    service.interface(text)(type(name, (), {name: method(upgrade=True)(connect)}))
    return service


def _run(command: Sequence[str], connection: socket) -> None:
    """Run the command on the connection, to its end."""
    if type(connection) is not socket:
        logger.error(
            "A connection was closed: %s cannot have it, or what came with its call was read already.",
            command[0],
        )
        return
    try:
        # In a session of its own: ctrl-C is for the service, which gives those who are connected some time.
        process = subprocess.Popen(
            command, stdin=connection.fileno(), stdout=connection.fileno(), start_new_session=True
        )
    except OSError as error:
        logger.error("The command %s cannot be run: %s.", command[0], error.strerror)
        return
    process.wait()
