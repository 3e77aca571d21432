"""Client.over(): a client of one connection, which is all it has; and serve_connection() at its other end."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import fastvarlink
from fastvarlink.error import AddressError, ConnectionLost
from wire.rawstream import PATIENCE, RawStream, call, frame
from wire.sample import DESCRIPTION, INTERFACE, State, make_service

from .typed import WireClient


class Served:
    """The end of a pair of sockets whose other end is served on a thread."""

    def __init__(self, service: fastvarlink.Service, **options: Any) -> None:
        self.near, self.far = socket.socketpair()
        self.far.settimeout(PATIENCE)
        self._thread = threading.Thread(target=service.serve_connection, args=(self.far,), kwargs=options)
        self._thread.start()

    def finish(self) -> None:
        """Wait until it is served no more; its socket is closed then."""
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()
        assert self.far.fileno() == -1


@pytest.fixture
def state() -> State:
    return State()


@pytest.fixture
def served(tmp_path: Path, state: State) -> Iterator[Served]:
    pair = Served(make_service(tmp_path, state))
    yield pair
    state.gate.set()
    pair.near.close()
    pair.finish()


def test_all_handlers_share_the_connection(served: Served) -> None:
    with fastvarlink.Client.over(served.near) as client:
        assert client.get_interfaces() == ["org.varlink.service", INTERFACE]
        assert client.info["product"] == "Wire tests"
        with client.open(INTERFACE) as first:
            assert first.Ping("x") == {"text": "x"}
        # That has not closed it.
        with client.open(WireClient) as second:
            assert second.Ping("y") == {"text": "y"}
        third = client.open(INTERFACE, namespaced=True)
        assert third.Ping("z").text == "z"
        assert [reply.i for reply in third.Count(3, _more=True)] == [0, 1, 2]
    assert served.near.fileno() == -1
    with pytest.raises(ConnectionLost):
        third.Ping("too late")
    served.finish()


def test_there_is_never_another_connection(served: Served, state: State) -> None:
    with fastvarlink.Client.over(served.near, timeout=PATIENCE) as client:
        for make in (client.open_connection, lambda: client.pipeline().__enter__()):
            with pytest.raises(AddressError, match="no way to another one"):
                make()
        handler = client.open(INTERFACE)
        with pytest.raises(fastvarlink.DeadlineExceeded):
            handler.Hold("x", _timeout=0.01)
        with pytest.raises(ConnectionLost):
            handler.Ping("x")
        with pytest.raises(ConnectionLost):
            client.open("org.example.another")


def test_its_options_are_those_of_any_client(tmp_path: Path) -> None:
    near, far = socket.socketpair()
    with far, fastvarlink.Client.over(near, timeout=0.01, strict=False) as client:
        assert (client.timeout, client.strict, str(client)) == (0.01, False, "Client over a connection")
        with pytest.raises(fastvarlink.DeadlineExceeded):
            client.get_interfaces()


def test_a_socket_from_an_event_loop_will_do(tmp_path: Path, state: State) -> None:
    near, far = socket.socketpair()
    near.setblocking(False)
    far.setblocking(False)
    thread = threading.Thread(target=make_service(tmp_path, state).serve_connection, args=(far,))
    thread.start()
    with fastvarlink.Client.over(near) as client:
        assert client.open(INTERFACE).Ping("x") == {"text": "x"}
    thread.join(PATIENCE)
    assert not thread.is_alive()


def test_only_a_plain_socket_will_do(tmp_path: Path, state: State) -> None:
    with open(tmp_path / "file", "wb") as file:
        with pytest.raises(TypeError, match="needs a connected socket"):
            fastvarlink.Client.over(file)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="A connected socket can be served"):
            make_service(tmp_path, state).serve_connection(file)  # type: ignore[arg-type]


def test_another_thread_ends_it(served: Served) -> None:
    with fastvarlink.Client.over(served.near) as client:
        handler = client.open(INTERFACE)
        assert handler.Ping("x") == {"text": "x"}
        served.far.shutdown(socket.SHUT_RDWR)
        served.finish()
        with pytest.raises(ConnectionLost):
            handler.Ping("x")


def test_a_thread_that_closes_it_does_no_harm(served: Served) -> None:
    with fastvarlink.Client.over(served.near) as client:
        handler = client.open(INTERFACE)
        assert handler.Ping("x") == {"text": "x"}
        served.far.close()
        # The descriptor is not given to another file while it is in use.
        assert handler.Ping("x") == {"text": "x"}


@pytest.mark.rule("F5")
def test_a_peer_that_breaks_a_rule_is_left(served: Served) -> None:
    with RawStream(served.near, "whole") as stream:
        stream.send(call(f"{INTERFACE}.Ping", {"text": "x"}) + b"nonsense\0")
        assert stream.read_reply() == {"parameters": {"text": "x"}}
        stream.expect_end()
    served.finish()


def test_limits_and_leniency_are_those_of_any_server(tmp_path: Path, state: State) -> None:
    ping = call(f"{INTERFACE}.Ping", {"text": "x"}, unknown=1)
    limits = fastvarlink.Limits(max_message_size=1000)
    pair = Served(make_service(tmp_path, state), limits=limits, strict=False)
    with RawStream(pair.near, "whole") as stream:
        stream.send(ping)
        assert stream.read_reply() == {"parameters": {"text": "x"}}
        stream.send(call(f"{INTERFACE}.Ping", {"text": "x" * 1000}))
        stream.expect_end()
    pair.finish()


def test_a_peer_that_may_not_connect_is_not_served(tmp_path: Path, state: State) -> None:
    refused: list[Any] = []

    class Door(fastvarlink.Interceptor):
        def refused(self, peer: Any, why: str) -> None:
            refused.append((peer.uid is not None, why))

    service = make_service(
        tmp_path, state, allow=lambda peer: False, refuse_connections=True, interceptors=[Door()]
    )
    pair = Served(service)
    with RawStream(pair.near, "whole") as stream:
        stream.expect_end()
    pair.finish()
    assert refused == [(True, "it may not connect")]


def test_what_comes_without_being_asked_for_is_no_reply() -> None:
    near, far = socket.socketpair()
    with far, fastvarlink.Client.over(near) as client:
        client.add_interface(fastvarlink.Interface(DESCRIPTION))
        far.sendall(frame({"parameters": {"text": "x"}}))
        with pytest.raises(fastvarlink.error.ProtocolError, match="a reply to no call"):
            client.open(INTERFACE).Ping("x")
