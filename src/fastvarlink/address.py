"""Addresses of sockets: every form that is understood, parsed and printed in one place.

    unix:/path    unix:./path    unix:@abstract    unix:///path    /path    ./path
    tcp:host:port    tcp:[::1]:port    tcp://host:port
    vsock:cid:port    vsock::port

Clients understand some more, of programs that are to be started: client/schemes.py has those.

What follows a ``;`` are properties, ``;name=value``. They are kept, and ignored where they mean nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from fastvarlink.error import AddressError

__all__ = ["SCHEMES", "TCP", "Address", "Unix", "Vsock", "parse"]

SCHEMES = ("unix", "tcp", "vsock")

_ANY_CID = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Unix:
    """A unix socket. ``path`` is a path in the file system, or ``@name`` in the abstract namespace."""

    path: str
    properties: dict[str, str] = field(default_factory=dict)

    @property
    def abstract(self) -> bool:
        return self.path.startswith("@")

    @property
    def sockaddr(self) -> str:
        """What bind() and connect() take."""
        return "\0" + self.path[1:] if self.abstract else self.path

    def __str__(self) -> str:
        return f"unix:{self.path}{_print_properties(self.properties)}"


@dataclass(frozen=True, slots=True)
class TCP:
    """A TCP port. ``host`` is an IPv4 address, an IPv6 address without brackets, or a name."""

    host: str
    port: int
    properties: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"tcp:{host}:{self.port}{_print_properties(self.properties)}"


# To make one more dataclass would cost each program that is started more than all else here.
class Vsock:
    """A port of a virtual machine or of its host. ``cid`` says which; None for any, to listen."""

    __slots__ = ("cid", "port", "properties")

    def __init__(self, cid: int | None, port: int, properties: dict[str, str]) -> None:
        self.cid = cid
        self.port = port
        self.properties = properties

    @property
    def sockaddr(self) -> tuple[int, int]:
        """What bind() and connect() take."""
        return _ANY_CID if self.cid is None else self.cid, self.port

    def __str__(self) -> str:
        cid = "" if self.cid is None else self.cid
        return f"vsock:{cid}:{self.port}{_print_properties(self.properties)}"


Address = Unix | TCP | Vsock


def parse(text: str) -> Address:
    """The address that ``text`` says. AddressError quotes it and tells what is wrong."""
    base, *properties = text.split(";")
    if base.startswith("unix:"):
        path = base.removeprefix("unix:")
        return Unix(_check_path(text, _after_slashes(path)), _parse_properties(properties))
    if base.startswith("tcp:"):
        host, port = _split_port(text, base.removeprefix("tcp:").removeprefix("//"))
        return TCP(host, port, _parse_properties(properties))
    if base.startswith("vsock:"):
        cid, port = _split_vsock(text, base.removeprefix("vsock:"))
        return Vsock(cid, port, _parse_properties(properties))
    if base.startswith(("/", "./")):
        return Unix(_check_path(text, base), _parse_properties(properties))
    raise AddressError(
        f"Invalid address '{text}': it must begin with 'unix:', 'tcp:' or 'vsock:', or be the path of a "
        f"socket that begins with '/' or './'."
    )


def _after_slashes(path: str) -> str:
    # unix:///path has an empty authority; a path with two slashes in front means the same as with one.
    return path[2:] if path.startswith("///") else path


def _check_path(text: str, path: str) -> str:
    if path in ("", "@"):
        raise AddressError(f"Invalid address '{text}': the path of the socket is missing.")
    if "\0" in path:
        raise AddressError(f"Invalid address {text!r}: a path cannot contain a NUL.")
    return path


def _split_port(text: str, rest: str) -> tuple[str, int]:
    host, colon, port = rest.rpartition(":")
    if not colon or not host:
        raise AddressError(f"Invalid address '{text}': it must read 'tcp:HOST:PORT'.")
    if host.startswith("[") != host.endswith("]"):
        raise AddressError(f"Invalid address '{text}': the brackets around the host do not match.")
    if host.startswith("["):
        host = host[1:-1]
    elif ":" in host:
        raise AddressError(
            f"Invalid address '{text}': an IPv6 address needs brackets, as in 'tcp:[::1]:8080'."
        )
    if not host or not (port.isascii() and port.isdigit()) or int(port) > 65535:
        raise AddressError(f"Invalid address '{text}': it must read 'tcp:HOST:PORT' with a port below 65536.")
    return host, int(port)


def _split_vsock(text: str, rest: str) -> tuple[int | None, int]:
    cid, _, port = rest.partition(":")
    if not (_is_number(cid or "0") and _is_number(port)):
        raise AddressError(f"Invalid address '{text}': it must read 'vsock:CID:PORT', both of them numbers.")
    return (int(cid) if cid else None), int(port)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 11 and int(text) <= _ANY_CID


def _parse_properties(texts: list[str]) -> dict[str, str]:
    return {name: value for name, _, value in (text.partition("=") for text in texts) if name}


def _print_properties(properties: dict[str, str]) -> str:
    return "".join(f";{name}={value}" for name, value in properties.items())
