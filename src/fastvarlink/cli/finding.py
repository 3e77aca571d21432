"""Who has an interface: what is in the registry, and what a resolver says."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress

from fastvarlink.cli.session import Session
from fastvarlink.client.ways import way_to
from fastvarlink.error import ProtocolError, VarlinkError

__all__ = [
    "REGISTRY",
    "RESOLVER",
    "is_interface",
    "locate",
    "registered",
    "registries",
    "services",
    "user_registry",
]

RESOLVER = "unix:/run/org.varlink.resolver"
# Sockets, or links to them, that have the name of the interface which they serve.
REGISTRY = "/run/varlink/registry"

_INTERFACE = re.compile(r"[A-Za-z](?:-*[A-Za-z0-9])*(?:\.[A-Za-z0-9](?:-*[A-Za-z0-9])*)+")


def is_interface(word: str) -> bool:
    """Whether this can be the name of an interface."""
    return _INTERFACE.fullmatch(word) is not None


def user_registry() -> str | None:
    """The folder of the services that only this user has; None where there is none."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    return f"{runtime}/varlink/registry" if runtime else None


def registries() -> list[str]:
    """The folders in which services are looked for, in this order."""
    return [folder for folder in (REGISTRY, user_registry()) if folder is not None]


def entry(folder: str, interface: str) -> str | None:
    """The address that is registered in a folder for an interface; None if it is none of a socket."""
    path = f"{folder}/{interface}"
    try:
        if is_interface(interface) and stat.S_ISSOCK(os.stat(path).st_mode):
            return f"unix:{os.path.realpath(path)}"
    except OSError:
        pass
    return None


def registered(interface: str) -> str | None:
    """The address that is registered for an interface, for all users or for this one."""
    return next((found for folder in registries() if (found := entry(folder, interface))), None)


def services(folder: str) -> Iterator[tuple[str, str | None]]:
    """What is in a registry by its names: the address, None for a link that leads to no socket.

    OSError if the folder cannot be read; one that is not there is empty.
    """
    try:
        names = sorted(os.listdir(folder))
    except FileNotFoundError:
        return
    for name in names:
        address = entry(folder, name)
        if address is not None or os.path.islink(f"{folder}/{name}"):
            yield name, address


def locate(interfaces: Sequence[str], resolver: str | None, timeout: float | None) -> str:
    """The address of the service that has the first of the interfaces that is known to anybody.

    The registry is asked first, then the resolver.
    With ``resolver``, an address, only that one is asked. VarlinkError if it does not know, OSError if it
    cannot be asked.
    """
    found = None if resolver else next(filter(None, map(registered, interfaces)), None)
    if found is not None:
        return found
    resolver = resolver or RESOLVER
    if "org.varlink.resolver" in interfaces:
        return resolver
    way = way_to(resolver)
    try:
        with Session(way.open(timeout), timeout) as session:
            return _ask(session, interfaces)
    finally:
        way.end()


def _ask(session: Session, interfaces: Sequence[str]) -> str:
    *first, last = interfaces
    for interface in first:
        with suppress(VarlinkError):
            return _resolve(session, interface)
    return _resolve(session, last)


def _resolve(session: Session, interface: str) -> str:
    answer = session.ask("org.varlink.resolver.Resolve", interface=interface).get("address")
    if not isinstance(answer, str):
        raise ProtocolError(f"Its reply does not say where {interface} is.")
    return answer
