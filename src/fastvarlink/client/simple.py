"""The client's side of an interface over a socket or a file."""

from __future__ import annotations

import contextlib
import socket
import weakref
from collections.abc import Callable, Iterator
from typing import Any, Self

from fastvarlink._core.call import CallPlan
from fastvarlink._core.channel import Channel, RemoteMethod, ReplyStream
from fastvarlink._core.link import is_plain_socket
from fastvarlink._core.session import ClientSession
from fastvarlink.client.bridge import reader_of, writer_of
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
    reopen: Callable[[], socket.socket] | None = None,
) -> Channel:
    """The channel of a connected socket, made if there is none yet."""
    channel = _channels.get(id(connection))
    if channel is None or channel.connection is not connection or channel.is_closed:
        channel = _channels[id(connection)] = Channel(connection, limits, reopen, strict)
    elif reopen is not None:
        channel.reopen = reopen
    return channel


class Carrier:
    """Carries the calls of a typed client over a connected socket."""

    def __init__(
        self,
        connection: socket.socket,
        limits: Limits,
        strict: bool,
        reopen: Callable[[], socket.socket] | None,
    ) -> None:
        if not is_plain_socket(connection):
            raise TypeError(
                f"A typed client needs a connected socket, not a {type(connection).__qualname__}."
            )
        self._channel = channel_of(connection, limits, strict, reopen)

    def invoke(self, plan: CallPlan, arguments: tuple[Any, ...], more: bool, oneway: bool) -> Any:
        """Call a method: its result, an iterator of its replies, or None at once."""
        if more:
            return ReplyStream(self._channel, plan, plan.parameters(arguments, {}), False)
        return self._channel.call(plan, arguments, {}, oneway, False)

    def close(self) -> None:
        """Close the connection."""
        self._channel.close()


# Where a subclass overrides one of these, calls take the way through it.
_HOOKS = ("_send_message", "_next_message", "_next_varlink_message", "_call", "_call_more")


class SimpleClientInterfaceHandler(ClientInterfaceHandler):
    """A ClientInterfaceHandler over a connected socket, a multiprocessing connection, or a file.

    May be shared between threads when it is over a socket. ``limits`` says what the service may cost; with
    ``strict=False`` it need not keep to every rule (see Client). ``reopen``, if given, connects anew after a
    stream was left before its end, or after an upgrade.
    """

    def __init__(
        self,
        interface: Interface,
        file_or_socket: Any,
        namespaced: bool = False,
        *,
        limits: Limits = Limits(),  # noqa: B008 - it cannot be changed
        strict: bool = True,
        reopen: Callable[[], socket.socket] | None = None,
    ) -> None:
        self._connection = file_or_socket
        self._send_bytes = hasattr(file_or_socket, "send_bytes")
        self._sendall = not self._send_bytes and hasattr(file_or_socket, "sendall")
        self._recv_bytes = hasattr(file_or_socket, "recv_bytes")
        self._recv = not self._recv_bytes and hasattr(file_or_socket, "recv")
        self._channel: Channel | None = None
        if is_plain_socket(file_or_socket):
            self._channel = channel_of(file_or_socket, limits, strict, self._reopener(reopen))
        else:
            self._read = reader_of(file_or_socket)
            self._write = writer_of(file_or_socket)
            self._session = ClientSession(limits, strict)
        self._direct = self._channel is not None and all(
            getattr(type(self), hook) is getattr(SimpleClientInterfaceHandler, hook) for hook in _HOOKS
        )
        super().__init__(interface, namespaced)

    def _reopener(self, reopen: Callable[[], socket.socket] | None) -> Callable[[], socket.socket] | None:
        if reopen is None:
            return None

        def connect() -> socket.socket:
            connection = self._connection = reopen()
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
        assert self._channel is not None
        doc = "\n".join(text for text in (method.doc, method.signature) if text)
        plan = self._plans.call(method.name)
        setattr(self, method.name, RemoteMethod(self._channel, plan, self._namespaced, method.name, doc))

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
        name = self._interface.get_method(method_name).name
        assert self._channel is not None
        return RemoteMethod(self._channel, self._plans.call(name), self._namespaced, name, "")

    def _send_message(self, out: bytes) -> None:
        """Send a message, given without its NUL."""
        if self._channel is not None:
            self._channel.send_message(out)
            return
        self._session.send_message(out)
        self._write(self._session.data_to_send())

    def _next_message(self) -> Iterator[str]:
        """Yield received messages, each without its NUL."""
        while True:
            if self._channel is not None:
                yield self._channel.next_message().decode()
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
