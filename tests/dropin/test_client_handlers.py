"""Handlers of one's own, over transports of one's own."""

from __future__ import annotations

import io
import json
import multiprocessing
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import fastvarlink

from .sample import DESCRIPTION, INTERFACE, PATIENCE

SAMPLE = fastvarlink.Interface(DESCRIPTION)
ANSWER = b'{"parameters":{"texts":["a"]}}\0'


def open_socket(address: str) -> socket.socket:
    """A connection as programs make it themselves."""
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(address.replace("unix:@", "\0"))
    return connection


# ---- subclasses


class InProcess(fastvarlink.ClientInterfaceHandler):
    """Calls a service without any connection."""

    def __init__(self, interface: Any, service: fastvarlink.Service, namespaced: bool = False) -> None:
        super().__init__(interface, namespaced)
        self.service = service
        self.sent: list[bytes] = []
        self.replies: Iterator[bytes] = iter(())
        self.closed = False

    def close(self) -> None:
        self.closed = True

    def _send_message(self, out: bytes) -> None:
        self.sent.append(out)
        self.replies = iter(list(self.service.handle(out)))

    def _next_message(self) -> Iterator[str]:
        for reply in self.replies:
            yield reply.decode()


def test_a_base_class_without_transport() -> None:
    handler: Any = fastvarlink.ClientInterfaceHandler(SAMPLE)
    with pytest.raises(NotImplementedError):
        handler.close()
    with pytest.raises(NotImplementedError):
        handler.Remembered()


def test_a_transport_of_ones_own(service: fastvarlink.Service) -> None:
    handler: Any = InProcess(SAMPLE, service)
    assert handler.Echo("a", 1, tags={"t"}) == {"text": "a", "number": 1, "tags": {"t"}}
    assert [reply["number"] for reply in handler.Count(3, _more=True)] == [1, 2, 3]
    assert handler.Remember("a", _oneway=True) is None
    with pytest.raises(fastvarlink.VarlinkError):
        handler.Fail("x")
    assert handler.Remembered() == {"texts": ["a"]}
    assert not handler._in_use
    assert all(isinstance(out, bytes) and not out.endswith(b"\0") for out in handler.sent)


def test_what_is_sent(service: fastvarlink.Service) -> None:
    handler: Any = InProcess(SAMPLE, service)
    handler.Remembered()
    list(handler.Remembered(_more=True))
    handler.Remember("a", _oneway=True)
    handler.Remembered(_oneway=False)
    name = f"{INTERFACE}.Remembered"
    assert [json.loads(out) for out in handler.sent] == [
        {"method": name},
        {"method": name, "more": True, "parameters": {}},
        {"method": f"{INTERFACE}.Remember", "oneway": True, "parameters": {"text": "a"}},
        {"method": name},
    ]


def test_a_namespaced_transport_of_ones_own(service: fastvarlink.Service) -> None:
    handler: Any = InProcess(SAMPLE, service, namespaced=True)
    assert handler.Echo("a", point={"x": 1, "y": 2}).point.y == 2
    assert [reply.number for reply in handler.Count(2, _more=True)] == [1, 2]


class Watching(fastvarlink.SimpleClientInterfaceHandler):
    """Looks at what goes in and out."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.seen: list[Any] = []

    def _send_message(self, out: bytes) -> None:
        self.seen.append(("out", json.loads(out)["method"]))
        super()._send_message(out)

    def _next_message(self) -> Iterator[str]:
        for message in super()._next_message():
            self.seen.append(("in", type(message)))
            yield message


def test_overridden_sending_and_receiving(running: Any) -> None:
    with Watching(SAMPLE, open_socket(running.address)) as handler:
        assert handler.Echo("a") == {"text": "a"}
        assert handler.seen == [("out", f"{INTERFACE}.Echo"), ("in", str)]
        assert len(list(handler.Count(3, _more=True))) == 3
        assert len(handler.seen) == 2 + 4


class Prefixing(fastvarlink.SimpleClientInterfaceHandler):
    """Changes calls before they are made."""

    def _call(self, method_name: str, *args: Any, **kwargs: Any) -> Any:
        return super()._call(method_name, *(f"<{arg}>" for arg in args), **kwargs)

    def _call_more(self, method_name: str, *args: Any, **kwargs: Any) -> Any:
        return super()._call_more(method_name, *(arg + 1 for arg in args), **kwargs)


def test_overridden_calls(running: Any) -> None:
    with Prefixing(SAMPLE, open_socket(running.address)) as handler:
        assert handler.Echo("a") == {"text": "<a>"}
        assert len(list(handler.Count(2, _more=True))) == 3


class Slow(fastvarlink.SimpleClientInterfaceHandler):
    """Reads replies a byte at a time with its own loop."""

    def _next_message(self) -> Iterator[str]:
        message = b""
        while (byte := self._connection.recv(1)) != b"\0":
            if not byte:
                raise BrokenPipeError("Disconnected")
            message += byte
        yield message.decode()


def test_a_reading_loop_of_ones_own(running: Any) -> None:
    with Slow(SAMPLE, open_socket(running.address)) as handler:
        assert handler.Echo("a") == {"text": "a"}
        assert len(list(handler.Count(3, _more=True))) == 3
        assert handler.Echo("b") == {"text": "b"}


class Renaming(fastvarlink.SimpleClientInterfaceHandler):
    """Adds its methods under other names."""

    def _add_method(self, method: Any) -> None:
        super()._add_method(method)
        setattr(self, method.name.lower(), getattr(self, method.name))


def test_overridden_adding_of_methods(running: Any) -> None:
    with Renaming(SAMPLE, open_socket(running.address)) as handler:
        assert handler.echo("a") == handler.Echo("a") == {"text": "a"}


@pytest.mark.parametrize("cls", [Watching, Prefixing, Renaming, Slow])
def test_a_client_with_a_handler_class(running: Any, cls: Any) -> None:
    class OwnClient(fastvarlink.Client):
        handler = cls

    with OwnClient(running.address) as client:
        if cls is not Prefixing:
            assert INTERFACE in client.get_interfaces()
        client.add_interface(SAMPLE)
        with client.open(INTERFACE) as handler:
            assert type(handler) is cls
            assert handler.Remembered() == {"texts": []}


# ---- transports


def test_attributes_of_a_socket_handler() -> None:
    ours, theirs = socket.socketpair()
    with theirs, fastvarlink.SimpleClientInterfaceHandler(SAMPLE, ours) as handler:
        assert handler._connection is ours
        assert (handler._send_bytes, handler._sendall) == (False, True)
        assert (handler._recv_bytes, handler._recv) == (False, True)
        assert handler._in_buffer == b""
    assert ours.fileno() == -1


def answer(
    receive: Callable[[], bytes], send: Callable[[bytes], Any], what: bytes = ANSWER
) -> threading.Thread:
    """Answer one call in a thread, when all of it has been read."""

    def run() -> None:
        got = b""
        while not got.endswith(b"\0"):
            got += receive()
        send(what)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_a_socketpair() -> None:
    ours, theirs = socket.socketpair()
    with theirs, fastvarlink.SimpleClientInterfaceHandler(SAMPLE, ours) as handler:
        thread = answer(lambda: theirs.recv(100), theirs.sendall)
        assert handler.Remembered() == {"texts": ["a"]}
        thread.join(PATIENCE)


def test_a_multiprocessing_connection() -> None:
    ours, theirs = multiprocessing.Pipe()
    with theirs, fastvarlink.SimpleClientInterfaceHandler(SAMPLE, ours) as handler:
        assert handler._connection is ours
        assert (handler._send_bytes, handler._sendall) == (True, False)
        assert (handler._recv_bytes, handler._recv) == (True, False)
        thread = answer(theirs.recv_bytes, theirs.send_bytes)
        assert handler.Remembered() == {"texts": ["a"]}
        thread.join(PATIENCE)
        theirs.close()
        with pytest.raises((BrokenPipeError, ConnectionError)):
            handler.Remembered()
    assert ours.closed


@pytest.mark.parametrize("buffering", [0, -1])
def test_a_file_object(buffering: int) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        file = ours.makefile("rwb", buffering=buffering)
        with fastvarlink.SimpleClientInterfaceHandler(SAMPLE, file) as handler:
            assert handler._connection is file
            assert (handler._send_bytes, handler._sendall) == (False, False)
            assert (handler._recv_bytes, handler._recv) == (False, False)
            thread = answer(lambda: theirs.recv(100), theirs.sendall)
            assert handler.Remembered() == {"texts": ["a"]}
            thread.join(PATIENCE)
        assert file.closed


def test_a_file_in_memory() -> None:
    class Both(io.RawIOBase):
        """Has the reply ready before the call is written."""

        def __init__(self) -> None:
            self.written = b""
            self.replies = io.BytesIO(ANSWER + ANSWER)

        def write(self, data: Any) -> int:
            self.written += bytes(data)
            return len(data)

        def read(self, size: int = -1) -> bytes:
            return self.replies.read(size)

    file = Both()
    handler: Any = fastvarlink.SimpleClientInterfaceHandler(SAMPLE, file)
    assert handler.Remembered() == {"texts": ["a"]}
    assert handler.Remembered() == {"texts": ["a"]}
    call = b'{"method":"org.example.dropin.Remembered"}'
    assert [json.loads(part) for part in file.written.split(b"\0")[:-1]] == [json.loads(call)] * 2
    handler.close()
    assert file.closed


def test_an_object_that_is_like_a_socket() -> None:
    class Wrapped:
        """A socket with something in between, as TLS or a test would have it."""

        def __init__(self, inner: socket.socket) -> None:
            self.inner = inner
            self.sent = 0

        def sendall(self, data: bytes) -> None:
            self.sent += len(data)
            self.inner.sendall(data)

        def recv(self, size: int) -> bytes:
            return self.inner.recv(size)

        def close(self) -> None:
            self.inner.close()

    ours, theirs = socket.socketpair()
    wrapped = Wrapped(ours)
    with theirs, fastvarlink.SimpleClientInterfaceHandler(SAMPLE, wrapped) as handler:
        thread = answer(lambda: theirs.recv(100), theirs.sendall)
        assert handler.Remembered() == {"texts": ["a"]}
        thread.join(PATIENCE)
        assert wrapped.sent == len(b'{"method":"org.example.dropin.Remembered"}\0')
    assert ours.fileno() == -1


def test_a_subclass_of_socket_with_methods_of_its_own() -> None:
    class Counting(socket.socket):
        received = 0
        sent = 0

        def recv(self, *args: Any) -> bytes:
            data = super().recv(*args)
            self.received += len(data)
            return data

        def sendall(self, data: Any, *args: Any) -> None:
            self.sent += len(data)
            super().sendall(data, *args)

    ours, theirs = socket.socketpair()
    counting = Counting(fileno=ours.detach())
    with theirs, fastvarlink.SimpleClientInterfaceHandler(SAMPLE, counting) as handler:
        thread = answer(lambda: theirs.recv(100), theirs.sendall)
        assert handler.Remembered() == {"texts": ["a"]}
        thread.join(PATIENCE)
        assert counting.received == len(ANSWER)
        assert counting.sent > 0


@pytest.mark.parametrize("thing", [object(), 3, "text"])
def test_what_is_no_transport_is_a_type_error(thing: Any) -> None:
    with pytest.raises(TypeError):
        fastvarlink.SimpleClientInterfaceHandler(SAMPLE, thing)
