"""The client's side of an interface over a socket or a file."""

from __future__ import annotations

import contextlib
import socket
import weakref
from collections.abc import Callable, Iterator
from typing import Any, Self

from fastvarlink._core.channel import Channel
from fastvarlink._core.interception import Interception
from fastvarlink._core.link import is_plain_socket
from fastvarlink._core.remote import DirectCarrier, RemoteMethod
from fastvarlink._core.session import ClientSession
from fastvarlink.client.bridge import reader_of, writer_of
from fastvarlink.client.carried import remote_method
from fastvarlink.client.handler import ClientInterfaceHandler
from fastvarlink.error import ConnectionLost
from fastvarlink.idl.interface import Interface
from fastvarlink.idl.scanner import _Method
from fastvarlink.limits import Limits

# Replies come in the order of the calls, so all handlers of one socket share one channel.
# By the socket's id(). A channel that was opened anew has another socket, and the id may be another's.
_channels: weakref.WeakValueDictionary[int, Channel] = weakref.WeakValueDictionary()


def channel_of(
    connection: socket.socket,
    limits: Limits,
    strict: bool = True,
    reopen: Callable[..., socket.socket] | None = None,
    busy_poll: float = 0.0,
) -> Channel:
    """The channel of a connected socket, made if there is none yet."""
    channel = _channels.get(id(connection))
    if channel is None or channel.connection is not connection or channel.is_closed:
        channel = _channels[id(connection)] = Channel(connection, limits, reopen, strict, busy_poll)
    elif reopen is not None:
        channel.reopen = reopen
    return channel


def typed_channel(
    connection: socket.socket,
    limits: Limits,
    strict: bool,
    reopen: Callable[..., socket.socket] | None,
    busy_poll: float,
) -> Channel:
    """The channel of a typed client's connection. TypeError if that is no plain socket."""
    if not is_plain_socket(connection):
        raise TypeError(f"A typed client needs a connected socket, not a {type(connection).__qualname__}.")
    return channel_of(connection, limits, strict, reopen, busy_poll)


def only_channel(connection: socket.socket, limits: Limits, strict: bool, busy_poll: float) -> Channel:
    """The channel of the only connection that a client has. TypeError if that is no plain socket."""
    if not is_plain_socket(connection):
        raise TypeError(
            f"Client.over() needs a connected socket whose bytes have not been read, not "
            f"{type(connection).__qualname__}: open() takes others, as its connection=."
        )
    if connection.gettimeout() == 0:
        # From an event loop. It would be taken for a time limit.
        connection.setblocking(True)
    return channel_of(connection, limits, strict, busy_poll=busy_poll)


# Where a subclass overrides one of these, calls take the way through it.
_HOOKS = ("_send_message", "_next_message", "_next_varlink_message", "_call", "_call_more")


class SimpleClientInterfaceHandler(ClientInterfaceHandler):
    """A ClientInterfaceHandler over a connected socket, a multiprocessing connection, or a file.

    May be shared between threads when it is over a socket. ``limits`` says what the service may cost; with
    ``strict=False`` it need not keep to every rule, ``timeout`` is how many seconds a call may take, and
    ``busy_poll`` for how many the thread that waits does not sleep (see Client). ``reopen``, if given,
    connects anew after a call that took longer, after a stream that was left before its end, and after an
    upgrade; where a call has a time limit it gets the seconds that are left.
    """

    def __init__(
        self,
        interface: Interface,
        file_or_socket: Any,
        namespaced: bool = False,
        *,
        limits: Limits = Limits(),  # noqa: B008 - it cannot be changed
        strict: bool = True,
        reopen: Callable[..., socket.socket] | None = None,
        timeout: float | None = None,
        busy_poll: float = 0.0,
        interception: Interception | None = None,
    ) -> None:
        self._connection = file_or_socket
        self._timeout = timeout
        self._send_bytes = hasattr(file_or_socket, "send_bytes")
        self._sendall = not self._send_bytes and hasattr(file_or_socket, "sendall")
        self._recv_bytes = hasattr(file_or_socket, "recv_bytes")
        self._recv = not self._recv_bytes and hasattr(file_or_socket, "recv")
        self._channel: Channel | None = None
        if is_plain_socket(file_or_socket):
            self._channel = channel_of(file_or_socket, limits, strict, self._reopener(reopen), busy_poll)
            self._carrier = DirectCarrier(self._channel, timeout)
            self._carrier.interception = interception
        else:
            if interception is not None:
                raise TypeError(
                    f"Interceptors need a connected socket, not a {type(file_or_socket).__qualname__}."
                )
            if timeout is not None:
                raise TypeError(
                    f"A time limit needs a connected socket, not a {type(file_or_socket).__qualname__}."
                )
            self._read = reader_of(file_or_socket)
            self._write = writer_of(file_or_socket)
            self._session = ClientSession(limits, strict)
        self._direct = self._channel is not None and all(
            getattr(type(self), hook) is getattr(SimpleClientInterfaceHandler, hook) for hook in _HOOKS
        )
        super().__init__(interface, namespaced)

    def _reopener(self, reopen: Callable[..., socket.socket] | None) -> Callable[..., socket.socket] | None:
        if reopen is None:
            return None

        def connect(*timeout: float) -> socket.socket:
            connection = self._connection = reopen(*timeout)
            return connection

        return connect

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _is_busy(self) -> bool:
        return self._busy or (self._channel is not None and self._channel.busy)

    @property
    def _in_buffer(self) -> bytes:
        """What has been received and not yet been taken."""
        session = self._session if self._channel is None else self._channel.session
        return session.waiting_data()

    def close(self) -> None:
        """Close the connection. May be called while another thread waits for a reply."""
        if self._channel is not None:
            self._channel.close()
            return
        if hasattr(self._connection, "shutdown"):
            with contextlib.suppress(OSError):
                self._connection.shutdown(socket.SHUT_RDWR)
        # A file may have something left to write to a peer that has gone.
        with contextlib.suppress(BrokenPipeError):
            self._connection.close()

    def _add_method(self, method: _Method) -> None:
        if not self._direct:
            super()._add_method(method)
            return
        setattr(self, method.name, remote_method(self._carrier, self._plans, method, self._namespaced))

    def _call(self, method_name: str, *args: Any, **kwargs: Any) -> Any:
        """Call a method and return its result."""
        if not self._direct:
            return super()._call(method_name, *args, **kwargs)
        return self._remote(method_name)(*args, **kwargs)

    def _call_more(self, method_name: str, *args: Any, **kwargs: Any) -> Iterator[Any]:
        """Call a method and return an iterator of its replies."""
        if not self._direct:
            return super()._call_more(method_name, *args, **kwargs)
        replies: Iterator[Any] = self._remote(method_name)(*args, _more=True, **kwargs)
        return replies

    def _remote(self, method_name: str) -> RemoteMethod:
        return remote_method(
            self._carrier, self._plans, self._interface.get_method(method_name), self._namespaced
        )

    def _send_message(self, out: bytes) -> None:
        """Send a message, given without its NUL."""
        if self._channel is not None:
            self._channel.send_message(out, self._timeout)
            return
        self._session.send_message(out)
        self._write(self._session.data_to_send())

    def _next_message(self) -> Iterator[str]:
        """Yield received messages, each without its NUL."""
        while True:
            if self._channel is not None:
                yield self._channel.next_message(self._timeout).decode()
                continue
            frame = self._session.next_frame()
            while frame is None:
                data = self._read()
                if not data:
                    raise ConnectionLost("The connection is lost. The service has closed it.")
                self._session.receive(data)
                frame = self._session.next_frame()
            yield frame.decode()


__all__ = ["SimpleClientInterfaceHandler"]
