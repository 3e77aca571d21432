"""Ending servers: shutdown from anywhere, serving again, and what is left afterwards."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import fastvarlink

from .sample import INTERFACE, PATIENCE, State
from .serving import Running, fresh_address, handler_class

CLASSES = [fastvarlink.Server, fastvarlink.ThreadingServer, fastvarlink.ForkingServer]
each_class = pytest.mark.parametrize("server_class", CLASSES, ids=lambda cls: cls.__name__)
in_process = pytest.mark.parametrize("server_class", CLASSES[:2], ids=lambda cls: cls.__name__)


@in_process
def test_shutdown_from_inside_a_handler(
    serve: Callable[..., Running], service: fastvarlink.Service, server_class: Any
) -> None:
    running = serve(service, server_class)
    with fastvarlink.Client(running.address) as client, client.open(INTERFACE) as example:
        example.Stop(_oneway=True)
        running.wait_until_returned()


@in_process
def test_stopping_service_as_the_certification_does(
    serve: Callable[..., Running], service: fastvarlink.Service, server_class: Any
) -> None:
    class Handler:
        def Stop(self, _request: Any, _server: Any) -> dict[str, Any]:
            _request.shutdown(2)
            _request.close()
            _server.shutdown()
            _server.server_close()
            return {}

    service.interfaces_handlers[INTERFACE] = Handler()
    running = serve(service, server_class)
    with fastvarlink.Client(running.address) as client, client.open(INTERFACE) as example:
        example.Stop(_oneway=True)
        with pytest.raises(ConnectionError):
            example.Stop()
        running.wait_until_returned()
        with pytest.raises(ConnectionError):
            client.get_interfaces()


@each_class
def test_serving_again(
    serve: Callable[..., Running], service: fastvarlink.Service, server_class: Any
) -> None:
    running = serve(service, server_class)
    for _ in range(3):
        running.server.shutdown()
        running.wait_until_returned()
        again = Running(running.server, running.address)
        with fastvarlink.Client(running.address) as client, client.open(INTERFACE) as example:
            assert example.Echo("a") == {"text": "a"}
        running = again
    running.end()


@each_class
def test_a_connection_that_waits_while_nobody_serves(
    serve: Callable[..., Running], service: fastvarlink.Service, server_class: Any
) -> None:
    running = serve(service, server_class)
    running.server.shutdown()
    running.wait_until_returned()
    with fastvarlink.Client(running.address) as client:
        # The socket still listens: a connection can be made, and is served later.
        connection = client.open_connection()
        again = Running(running.server, running.address)
        with client.open("org.varlink.service", connection=connection) as waiting:
            assert INTERFACE in waiting.GetInfo()["interfaces"]
        again.end()


@each_class
def test_shutdown_before_the_serving_thread_got_going(
    service: fastvarlink.Service, server_class: Any
) -> None:
    server = server_class(fresh_address(), handler_class(service))
    stopping = threading.Thread(target=server.shutdown, daemon=True)
    stopping.start()
    # As with socketserver, it waits for the loop and ends it; long enough to be sure it was first.
    stopping.join(0.2)
    serving = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    serving.start()
    serving.join(2)
    try:
        assert not serving.is_alive(), "The server has missed the shutdown."
    finally:
        if serving.is_alive():
            server.shutdown()
        serving.join(PATIENCE)
        stopping.join(PATIENCE)
        server.server_close()


def descriptors() -> set[str]:
    """What the descriptors of this process lead to, sockets by number."""
    gc.collect()
    found = set()
    for fd in os.listdir("/proc/self/fd"):
        try:
            found.add(f"{fd} {os.readlink(f'/proc/self/fd/{fd}')}")
        except OSError:
            continue
    return found


@each_class
def test_server_close_leaves_nothing(service: fastvarlink.Service, server_class: Any, tmp_path: Path) -> None:
    before, threads = descriptors(), set(threading.enumerate())
    path = tmp_path / "socket"
    running = Running(server_class(f"unix:{path}", handler_class(service)), f"unix:{path}")
    with fastvarlink.Client(running.address) as client:
        handlers = [client.open(INTERFACE) for _ in range(5)]
        for handler in handlers:
            assert handler.Echo("a") == {"text": "a"}
        for handler in handlers[:3]:
            handler.close()
        stream = handlers[3].Forever(_more=True)
        next(stream)
        if server_class is fastvarlink.ForkingServer:
            # As with socketserver, its server_close() waits for the children, and they for their clients.
            for handler in handlers:
                handler.close()
        running.server.shutdown()
        running.server.server_close()
        running.wait_until_returned()
        assert not path.exists()
        assert set(threading.enumerate()) <= threads
        stream.close()
        for handler in handlers:
            handler.close()
    del running, client, handler, handlers, stream
    assert descriptors() == before


@in_process
def test_server_close_ends_connections(
    serve: Callable[..., Running], service: fastvarlink.Service, state: State, server_class: Any
) -> None:
    running = serve(service, server_class)
    with fastvarlink.Client(running.address) as client, client.open(INTERFACE) as example:
        assert next(example.Forever(_more=True)) == {"number": 0}
        running.end()
        assert state.left.wait(PATIENCE)
        with pytest.raises(OSError, match=r"refused|closed|lost|left"):
            example.Echo("a")


@each_class
def test_a_server_that_never_served(service: fastvarlink.Service, server_class: Any, tmp_path: Path) -> None:
    path = tmp_path / "socket"
    server = server_class(f"unix:{path}", handler_class(service))
    assert path.exists()
    server.server_close()
    server.server_close()
    assert not path.exists()
    with server_class(f"unix:{path}", handler_class(service), False):
        assert not path.exists()


def test_threads_serve_next_to_each_other(
    serve: Callable[..., Running], service: fastvarlink.Service, state: State
) -> None:
    running = serve(service, fastvarlink.ThreadingServer)
    with (
        fastvarlink.Client(running.address) as client,
        client.open(INTERFACE) as held,
        client.open(INTERFACE) as other,
    ):
        replies = held.Held(_more=True)
        assert next(replies) == {"number": 0}
        assert other.Echo("a") == {"text": "a"}
        state.gate.set()
        assert next(replies) == {"number": 1}
