"""The class Client: addresses, connections, interfaces, and programs that it starts."""

from __future__ import annotations

import os
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import fastvarlink
from fastvarlink.client import pipe_bridge

from .sample import DESCRIPTION, INTERFACE, PATIENCE
from .serving import Running, fresh_address

# For processes of their own, which have to find this package again.
SERVICE = f"""\
import sys
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parents[len(__package__.split("."))])!r})
import fastvarlink
from {__package__}.sample import make_service
from {__package__}.serving import handler_class
"""


def connection_to(address: str) -> socket.socket:
    """A connection as programs make it themselves."""
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(address.replace("unix:@", "\0"))
    return connection


def test_ways_to_make_a_client(running: Running) -> None:
    for client in (
        fastvarlink.Client(running.address),
        fastvarlink.Client(address=running.address),
        fastvarlink.Client.new_with_address(running.address),
        fastvarlink.Client()._with_address(running.address),
    ):
        with client as entered:
            assert entered is client
            assert str(client) == running.address
            assert client.get_interfaces() == ["org.varlink.service", INTERFACE]
            assert client.info["vendor"] == "Example"
            assert client.info["interfaces"] == ["org.varlink.service", INTERFACE]


def test_constructors_make_the_subclass(running: Running) -> None:
    class Own(fastvarlink.Client):
        pass

    assert type(Own.new_with_address(running.address)) is Own


@pytest.mark.parametrize("address", ["uenix:org.example", "tcp:localhost", "udp:127.0.0.1:1", "nonsense"])
def test_addresses_that_are_refused(address: str) -> None:
    with pytest.raises(ConnectionError) as caught:
        fastvarlink.Client(address)
    assert f"Invalid address '{address}'" in str(caught.value)


def test_properties_of_an_address_are_ignored(running: Running) -> None:
    with fastvarlink.Client(f"{running.address};mode=0600;other=1") as client:
        assert INTERFACE in client.get_interfaces()


def test_nobody_at_the_address() -> None:
    with fastvarlink.Client(fresh_address()) as client:
        with pytest.raises(ConnectionError):
            client.open(INTERFACE)
        with pytest.raises(OSError, match="refused"):
            client.open_connection()


def test_an_interface_that_the_service_does_not_have(client: fastvarlink.Client) -> None:
    # Unclosed sockets fail the test.
    with pytest.raises(fastvarlink.InterfaceNotFound):
        client.open("a.b")
    with pytest.raises(fastvarlink.InterfaceNotFound):
        client.get_interface("a.b")


def test_getting_an_interface(client: fastvarlink.Client) -> None:
    interface = client.get_interface(INTERFACE)
    assert isinstance(interface, fastvarlink.Interface)
    assert interface.get_description() == DESCRIPTION
    assert client._interfaces[INTERFACE] is interface
    assert client.open_connection().close() is None


def test_adding_an_interface(client: fastvarlink.Client) -> None:
    own = fastvarlink.Interface(DESCRIPTION)
    client.add_interface(own)
    with client.open(INTERFACE) as handler:
        assert handler._interface is own
    for wrong in (DESCRIPTION, None, object()):
        with pytest.raises(TypeError):
            client.add_interface(wrong)  # type: ignore[arg-type]


def test_a_connection_of_ones_own(running: Running) -> None:
    with fastvarlink.Client() as client, connection_to(running.address) as connection:
        connection.settimeout(PATIENCE)
        assert client.get_interfaces(socket_connection=connection) == ["org.varlink.service", INTERFACE]
        assert client.get_interface(INTERFACE, socket_connection=connection).name == INTERFACE
        handler = client.open(INTERFACE, connection=connection)
        assert handler._connection is connection
        assert handler.Echo("a") == {"text": "a"}
        own = fastvarlink.SimpleClientInterfaceHandler(client._interfaces[INTERFACE], connection)
        assert own.Echo("b") == {"text": "b"}  # type: ignore[attr-defined]
        # Left open for whoever made it.
        assert connection.fileno() >= 0


def test_open_asks_over_the_connection_it_is_given(running: Running) -> None:
    with fastvarlink.Client() as client, connection_to(running.address) as connection:
        assert client.open(INTERFACE, False, connection).Echo("a") == {"text": "a"}
        with pytest.raises(fastvarlink.InterfaceNotFound):
            client.open("a.b", connection=connection)
        assert client.open(INTERFACE, True, connection).Echo("a").text == "a"


def test_a_client_without_address_says_so() -> None:
    with fastvarlink.Client() as client, pytest.raises(Exception, match="address"):
        client.open(INTERFACE)


def test_a_socket_function_of_ones_own(running: Running) -> None:
    with fastvarlink.Client() as client:
        client._socket_fn = lambda: connection_to(running.address)
        assert INTERFACE in client.get_interfaces()
        with client.open(INTERFACE) as handler:
            assert handler.Echo("a") == {"text": "a"}


def test_an_overridden_open_connection(running: Running) -> None:
    class Own(fastvarlink.Client):
        def open_connection(self) -> Any:
            return connection_to(running.address)

    with Own() as client, client.open(INTERFACE) as handler:
        assert handler.Echo("a") == {"text": "a"}


def test_an_overridden_base_interface() -> None:
    text = "interface org.varlink.service\nmethod GetInfo() -> ()\n"

    class Own(fastvarlink.Client):
        def _get_base_interface(self) -> fastvarlink.Interface:  # type: ignore[override]
            return fastvarlink.Interface(text)

    assert Own()._interfaces["org.varlink.service"].description == text


# ---- the resolver


@pytest.fixture
def resolver(serve: Callable[..., Running], running: Running) -> str:
    """The address of a resolver that knows the sample interface."""

    class Resolver:
        def Resolve(self, interface: str) -> dict[str, Any]:
            return {"address": running.address}

    service = fastvarlink.Service()
    service.interfaces["org.varlink.resolver"] = fastvarlink.Interface(
        "interface org.varlink.resolver\nmethod Resolve(interface: string) -> (address: string)\n"
    )
    service.interfaces_handlers["org.varlink.resolver"] = Resolver()
    return serve(service).address


def test_a_resolved_interface(resolver: str, running: Running) -> None:
    for client in (
        fastvarlink.Client(resolve_interface=INTERFACE, resolver=resolver),
        fastvarlink.Client(None, INTERFACE, resolver),
        fastvarlink.Client.new_with_resolved_interface(INTERFACE, resolver),
        fastvarlink.Client.new_with_resolved_interface(INTERFACE, resolver_address=resolver),
        fastvarlink.Client()._with_resolved_interface(INTERFACE, resolver),
    ):
        assert str(client) == running.address
        with client, client.open(INTERFACE) as handler:
            assert handler.Echo("a") == {"text": "a"}


def test_the_resolver_itself(resolver: str) -> None:
    with fastvarlink.Client.new_with_resolved_interface("org.varlink.resolver", resolver) as client:
        assert str(client) == resolver
    with fastvarlink.Client.new_with_resolved_interface("org.varlink.resolver") as client:
        assert str(client) == "unix:/run/org.varlink.resolver"


# ---- programs


def activated(tmp_path: Path, address: str) -> list[str]:
    """A command that serves on the socket it is passed."""
    code = SERVICE + (
        "service = make_service(Path(sys.argv[1]))\n"
        "with fastvarlink.ThreadingServer(sys.argv[2], handler_class(service)) as server:\n"
        "    assert server.listen_fd == 3, server.listen_fd\n"
        "    server.serve_forever()\n"
    )
    return [sys.executable, "-c", code, str(tmp_path), address]


def test_activating_a_service(tmp_path: Path) -> None:
    argv = activated(tmp_path, "$VARLINK_ADDRESS")
    with fastvarlink.Client.new_with_activate(argv) as client:
        pid, folder = client._child_pid, client._tmpdir
        assert pid > 0
        assert folder is not None
        assert os.path.isdir(folder)
        assert str(client).startswith(f"unix:{folder}")
        with client.open(INTERFACE) as handler:
            assert handler.Thread()["pid"] == pid
            assert handler.Echo("a") == {"text": "a"}
    assert not os.path.exists(folder)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    client.cleanup()


def test_bridging_to_a_service(running: Running) -> None:
    code = (
        "import socket, sys, threading\n"
        "from fastvarlink.client import pipe_bridge\n"
        "s = socket.socket(socket.AF_UNIX)\n"
        "s.connect(sys.argv[1].replace('unix:@', chr(0)))\n"
        "threading.Thread(target=pipe_bridge, args=(sys.stdin.buffer, s), daemon=True).start()\n"
        "pipe_bridge(s, sys.stdout.buffer)\n"
    )
    argv = [sys.executable, "-c", code, running.address]
    with fastvarlink.Client.new_with_bridge(argv) as client:
        assert str(client) == "Bridge with: '" + " ".join(argv) + "'"
        with client.open(INTERFACE) as handler, client.open("org.varlink.service") as other:
            assert client._child_pid > 0
            assert handler.Echo("a" * 100_000)["text"] == "a" * 100_000
            assert len(list(handler.Count(5, _more=True))) == 5
            assert other.GetInfo()["version"] == "7"


def test_a_bridge_that_cannot_be_started(tmp_path: Path) -> None:
    with (
        fastvarlink.Client.new_with_bridge([str(tmp_path / "missing")]) as client,
        pytest.raises(FileNotFoundError),
    ):
        client.open(INTERFACE)


def test_a_bridge_that_ends_at_once() -> None:
    with (
        fastvarlink.Client.new_with_bridge(["true"]) as client,
        pytest.raises(ConnectionError),
    ):
        client.open(INTERFACE)


@pytest.mark.parametrize("kind", ["sockets", "files"])
def test_pipe_bridge(kind: str) -> None:
    near, reader = socket.socketpair()
    writer, far = socket.socketpair()
    ends: tuple[Any, Any] = (reader, writer)
    if kind == "files":
        ends = (reader.makefile("rb"), writer.makefile("wb"))
        reader.close()
        writer.close()
    with near, far:
        thread = threading.Thread(target=pipe_bridge, args=ends)
        thread.start()
        far.settimeout(PATIENCE)
        with far.makefile("rb") as arrived:
            for part in (b"a", b"bc\0", b"d" * 100_000):
                near.sendall(part)
                assert arrived.read(len(part)) == part
            near.shutdown(socket.SHUT_WR)
            assert arrived.read() == b""
        thread.join(PATIENCE)
        assert not thread.is_alive()
