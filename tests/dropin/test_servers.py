"""The three servers: how they are made, what they have, how they serve."""

from __future__ import annotations

import os
import socket
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import fastvarlink

from .sample import INTERFACE, PATIENCE, State
from .serving import Running, fresh_address, handler_class, interfaces_at

CLASSES = [fastvarlink.Server, fastvarlink.ThreadingServer, fastvarlink.ForkingServer]
each_class = pytest.mark.parametrize("server_class", CLASSES, ids=lambda cls: cls.__name__)


@each_class
@pytest.mark.parametrize("kind", ["abstract", "path", "tcp", "tcp6"])
def test_serving(
    serve: Callable[..., Running],
    service: fastvarlink.Service,
    tmp_path: Path,
    server_class: Any,
    kind: str,
) -> None:
    address = {
        "abstract": fresh_address(),
        "path": f"unix:{tmp_path}/socket",
        "tcp": f"tcp:127.0.0.1:{free_port(socket.AF_INET, '127.0.0.1')}",
        "tcp6": f"tcp:[::1]:{free_port(socket.AF_INET6, '::1')}",
    }[kind]
    running = serve(service, server_class, address)
    for _ in range(2):
        with fastvarlink.Client(address) as client, client.open(INTERFACE) as example:
            assert str(client) == address
            assert example.Echo("a") == {"text": "a"}
            assert len(list(example.Count(3, _more=True))) == 3
            with pytest.raises(fastvarlink.VarlinkError):
                example.Fail("x")
            where = example.Thread()
            assert (where["pid"] == os.getpid()) == (server_class is not fastvarlink.ForkingServer)
            if server_class is fastvarlink.Server:
                assert where["name"] == running.thread.name


def free_port(family: int, host: str) -> int:
    """A port that was free a moment ago."""
    with socket.socket(family) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


@each_class
@pytest.mark.parametrize("given", ["class", "service"])
def test_what_a_server_is_made_of(service: fastvarlink.Service, server_class: Any, given: str) -> None:
    address = fresh_address()
    made_of = service if given == "service" else handler_class(service)
    running = Running(server_class(address, made_of), address)
    try:
        assert running.server.RequestHandlerClass.service is service
        with fastvarlink.Client(address) as client, client.open(INTERFACE) as example:
            assert example.Echo("a") == {"text": "a"}
    finally:
        running.end()


@each_class
def test_binding_and_activating_later(
    service: fastvarlink.Service, server_class: Any, tmp_path: Path
) -> None:
    path = tmp_path / "socket"
    address = f"unix:{path}"
    server = server_class(address, handler_class(service), bind_and_activate=False)
    assert not path.exists()
    assert isinstance(server.socket, socket.socket)
    server.allow_reuse_address = True
    server.server_bind()
    assert server.server_address == str(path)
    with pytest.raises(ConnectionRefusedError), fastvarlink.Client(address) as client:
        client.get_interfaces()
    server.server_activate()
    running = Running(server, address)
    assert INTERFACE in interfaces_at(address)
    running.end()
    assert not path.exists()


@each_class
def test_attributes_of_servers(service: fastvarlink.Service, server_class: Any, tmp_path: Path) -> None:
    path = str(tmp_path / "socket")
    with server_class(f"unix:{path};mode=0600", handler_class(service)) as server:
        assert server.server_address == path
        assert server.remove_file == path
        assert server.mode == "0600"
        assert server.listen_fd is None
        assert server.address_family == socket.AF_UNIX
        assert server.fileno() == server.socket.fileno() >= 0
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert not os.path.exists(path)
    assert server.socket.fileno() == -1
    name = f"fastvarlink-{os.getpid()}-{threading.get_ident()}"
    with server_class(f"unix:@{name};mode=0600", handler_class(service)) as server:
        assert server.server_address == f"@{name}"
        assert server.remove_file is None
    with server_class("tcp:127.0.0.1:0", handler_class(service)) as server:
        assert server.server_address[0] == "127.0.0.1"
        assert server.server_address[1] > 0
        assert server.address_family == socket.AF_INET
        assert (server.remove_file, server.mode) == (None, None)
    with server_class("tcp:[::1]:0", handler_class(service)) as server:
        assert server.server_address[0] == "::1"
        assert server.address_family == socket.AF_INET6


def test_the_mode_of_a_socket_that_is_changed_later(
    serve: Callable[..., Running], service: fastvarlink.Service, tmp_path: Path
) -> None:
    running = serve(service, address=f"unix:{tmp_path}/socket")
    os.chmod(running.server.server_address, 0o666)
    with fastvarlink.Client(address=running.address) as client:
        assert INTERFACE in client.get_interfaces()


@pytest.mark.parametrize("address", ["uenix:/x", "", "tcp:", "tcp:localhost", "unix:"])
def test_bad_addresses(service: fastvarlink.Service, address: str) -> None:
    with pytest.raises(ConnectionError) as caught:
        fastvarlink.Server(address, handler_class(service))
    assert f"'{address}'" in str(caught.value)


def test_an_address_in_use(service: fastvarlink.Service, tmp_path: Path) -> None:
    address = f"unix:{tmp_path}/socket"
    with fastvarlink.Server(address, handler_class(service)):
        with pytest.raises(OSError, match="in use"):
            fastvarlink.Server(address, handler_class(service))
        # The one in the way must not have been removed.
        assert (tmp_path / "socket").exists()


def test_subclasses_set_the_queue_size(service: fastvarlink.Service) -> None:
    seen = []

    class Small(fastvarlink.ThreadingServer):
        request_queue_size = 7
        daemon_threads = True

        def server_activate(self) -> None:
            seen.append(self.request_queue_size)
            super().server_activate()

    with Small(fresh_address(), handler_class(service)):
        assert seen == [7]


# ---- request handlers with code of their own


@each_class
def test_a_handler_with_handle_of_its_own(service: Any, server_class: Any, tmp_path: Path) -> None:
    log = tmp_path / "log"

    class Handler(fastvarlink.RequestHandler):
        def handle(self) -> None:
            with log.open("a") as file:
                file.write("handle\n")
            super().handle()

        def setup(self) -> None:
            with log.open("a") as file:
                file.write("setup\n")
            super().setup()

        def finish(self) -> None:
            super().finish()
            with log.open("a") as file:
                file.write("finish\n")

    Handler.service = service
    address = fresh_address()
    running = Running(server_class(address, Handler), address)
    try:
        with fastvarlink.Client(address) as client, client.open(INTERFACE) as example:
            assert example.Echo("a") == {"text": "a"}
            assert len(list(example.Count(3, _more=True))) == 3
            example.Remember("x", _oneway=True)
            assert example.Echo("a") == {"text": "a"}
    finally:
        running.end()
    lines = log.read_text().split()
    assert lines[:2] == ["setup", "handle"]
    assert lines.count("setup") == lines.count("handle") == 2


@each_class
def test_a_handler_that_reads_and_writes_itself(service: Any, server_class: Any) -> None:
    class Handler(fastvarlink.RequestHandler):
        def handle(self) -> None:
            self.request.setblocking(True)
            message = b""
            while byte := self.rfile.read(1):
                if byte != b"\0":
                    message += byte
                    continue
                for reply in self.service.handle(message, _server=self.server, _request=self.request):
                    if reply is not None:
                        self.wfile.write(reply + b"\0")
                message = b""

    Handler.service = service
    address = fresh_address()
    running = Running(server_class(address, Handler), address)
    try:
        with fastvarlink.Client(address) as client, client.open(INTERFACE) as example:
            assert example.Echo("a" * 10000)["text"] == "a" * 10000
            assert len(list(example.Count(3, _more=True))) == 3
    finally:
        running.end()


def test_a_request_that_is_refused(service: fastvarlink.Service) -> None:
    class Refusing(fastvarlink.ThreadingServer):
        refuse = False

        def verify_request(self, request: Any, client_address: Any) -> bool:
            return not self.refuse

    address = fresh_address()
    running = Running(Refusing(address, handler_class(service)), address)
    try:
        running.server.refuse = True
        with fastvarlink.Client(address) as client, pytest.raises(ConnectionError):
            client.get_interfaces()
        running.server.refuse = False
        with fastvarlink.Client(address) as client:
            assert INTERFACE in client.get_interfaces()
    finally:
        running.end()


@each_class
def test_service_actions_are_called(service: fastvarlink.Service, server_class: Any) -> None:
    calls = []
    tenth = threading.Event()

    class Acting(server_class):  # type: ignore[misc]
        def service_actions(self) -> None:
            super().service_actions()
            calls.append(1)
            if len(calls) == 10:
                tenth.set()

    server = Acting(fresh_address(), handler_class(service))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        # A tenth of a second, were the machine idle; five with the interval that is the default.
        assert tenth.wait(3)
    finally:
        server.shutdown()
        thread.join(PATIENCE)
        server.server_close()


def test_a_service_on_two_servers(
    service: fastvarlink.Service, serve: Callable[..., Running], state: State
) -> None:
    first, second = serve(service), serve(service, fastvarlink.Server)
    for running in (first, second):
        with fastvarlink.Client(running.address) as client, client.open(INTERFACE) as example:
            example.Remember("a")
    assert state.texts == ["a", "a"]


def test_handle_request_serves_one_connection(service: fastvarlink.Service) -> None:
    address = fresh_address()
    with fastvarlink.Server(address, handler_class(service)) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        with fastvarlink.Client(address) as client, client.open(INTERFACE) as example:
            assert example.Echo("a") == {"text": "a"}
        thread.join(PATIENCE)
        assert not thread.is_alive()
