"""serve(): a service as a program, from its sockets to its exit status."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable

from fastvarlink.busypoll import checked_busy_poll
from fastvarlink.limits import Limits
from fastvarlink.server.listening import Listening
from fastvarlink.server.program import Manager, Settings, serve_sockets
from fastvarlink.server.server import Server
from fastvarlink.server.supervisor import supervise
from fastvarlink.service import Service, runner

__all__ = ["serve"]


def serve(
    service: Service | Callable[[], Service],
    *listen_at: str,
    workers: int = 1,
    limits: Limits | None = None,
    strict: bool = True,
    exit_idle_time: float | None = None,
    drain_time: float = 10.0,
    busy_poll: float | None = None,
    ready: Callable[[], None] | None = None,
) -> None:
    """Serve a service until it is told to end, then return: the program ends with status 0.

    Sockets that were passed to this process (LISTEN_FDS: by a service manager, or a client that starts the
    service) take the place of ``listen_at``, and so does an address in SYSTEMD_VARLINK_LISTEN; ``-`` there,
    or among the addresses, is standard input and output. A program that was only passed connections ends
    with the last of them. AddressError if there is nothing to listen at, OSError if that cannot be done.

    Handlers that block hold up nobody but their own connection. SIGTERM and SIGINT end it: nothing more is
    accepted, calls that have arrived are answered and streams go on to their end for up to ``drain_time``
    seconds, what is left is cut off; a second signal ends the process at once. So does an idle service after
    ``exit_idle_time`` seconds without a connection. A manager at NOTIFY_SOCKET is told when it is ready, when
    it ends, and that it lives, if it asks for that. ``ready()`` is called when the service can be called.
    ``limits``, ``strict`` and ``busy_poll`` are as for ThreadingServer; ValueError for a ``busy_poll`` where
    handlers are coroutines.

    With two or more ``workers``, so many processes serve the same sockets, and this one only watches over
    them: one that dies is replaced, and SIGHUP replaces all of them without a call being lost. It must be
    called on the main thread (RuntimeError), while the program has no other threads: the workers are forked.
    Limits count for each worker. WorkerError if they do not get ready. ``service`` may be a function that
    returns the Service: each worker calls it for itself, so that what it imports is new after SIGHUP.
    """
    if not isinstance(workers, int) or isinstance(workers, bool):
        raise TypeError(f"'workers' is {workers!r}: it must be the number of processes, an int.")
    if workers < 1:
        raise ValueError(f"'workers' is {workers}: at least one process has to serve.")
    if not isinstance(service, Service) and not callable(service):
        raise TypeError(f"{service!r} cannot be served: give a Service, or a function that returns one.")
    if workers > 1 and threading.current_thread() is not threading.main_thread():
        raise RuntimeError(
            "serve() with 'workers' was called on a thread: call it on the main thread, which signals reach."
        )
    settings = Settings(limits or Limits(), strict, exit_idle_time, drain_time, checked_busy_poll(busy_poll))
    with contextlib.closing(Listening()) as listening:
        listening.open(listen_at, Server.request_queue_size, connections=workers == 1)
        if workers > 1:
            supervise(workers, service, listening, settings, ready)
        else:
            serve_sockets(service, listening, settings, Manager(ready))


runner.serve = serve
