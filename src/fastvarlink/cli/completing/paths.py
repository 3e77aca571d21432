"""Addresses and sockets that exist."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress

from fastvarlink.address import Unix, parse
from fastvarlink.cli.completing.candidate import Candidate
from fastvarlink.cli.finding import registries, services
from fastvarlink.error import AddressError

__all__ = ["addresses", "is_service", "registered"]

_KINDS = {
    "unix:": "a unix socket: its path, or @ and its abstract name",
    "tcp:": "HOST:PORT",
    "vsock:": "CID:PORT",
    "exec:/": "a program, run for the connection",
    "ssh-unix:": "HOST:PATH of a unix socket",
    "ssh-exec:": "HOST:COMMAND",
}
_LISTENS = 0x10000


def registered() -> dict[str, str]:
    """The addresses of the interfaces that the registries know, by their names."""
    found: dict[str, str] = {}
    for folder in registries():
        with suppress(OSError):
            found.update(
                (name, address) for name, address in services(folder) if address and name not in found
            )
    return found


def is_service(address: str) -> bool:
    """Whether an address is complete: a socket that is there, or one that no file stands for."""
    try:
        parsed = parse(address)
    except AddressError:
        return False
    return not isinstance(parsed, Unix) or parsed.abstract or _is(stat.S_ISSOCK, parsed.path)


def addresses(word: str, tail: str = "") -> Iterator[Candidate]:
    """What an address may become. ``tail`` is put behind those that exist, as more of the word follows."""
    done = not tail
    kind = "unix:" if word.startswith("unix:") else ""
    path = word.removeprefix(kind)
    if path.startswith(("/", "./")):
        yield from _sockets(kind, path, tail)
        return
    if not kind:
        yield from (Candidate(name, text, False) for name, text in _KINDS.items())
    elif not path:
        yield Candidate("unix:/", "the path of a unix socket", False)
    if not path or not kind:
        for name, address in registered().items():
            yield Candidate(f"{address}{tail}", f"registered for {name}", done)
    listening = _listening()
    if path.startswith("@"):
        yield from (Candidate(f"unix:{name}{tail}", "", done) for name in listening if name[0] == "@")
        return
    # Services are at sockets that have the name of an interface.
    for name in listening:
        if os.path.basename(name.removeprefix("@")).count(".") >= 2:
            yield Candidate(f"unix:{name}{tail}", "listens", done)


def _sockets(kind: str, path: str, tail: str) -> Iterator[Candidate]:
    folder = path.rpartition("/")[0] + "/"
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return
    for name in names:
        if _is(stat.S_ISSOCK, folder + name):
            yield Candidate(f"{kind}{folder}{name}{tail}", "socket", not tail)
        elif _is(stat.S_ISDIR, folder + name):
            yield Candidate(f"{kind}{folder}{name}/", "", False)


def _is(kind: Callable[[int], bool], path: str) -> bool:
    try:
        return kind(os.stat(path).st_mode)
    except (OSError, ValueError):
        return False


def _listening() -> list[str]:
    """The unix sockets where somebody listens: paths, and abstract names with an @ in front."""
    try:
        with open("/proc/net/unix", encoding="utf-8", errors="replace") as table:
            rows = [line.split(maxsplit=7) for line in table][1:]
    except OSError:
        return []
    names = {row[7].strip() for row in rows if len(row) == 8 and int(row[3], 16) & _LISTENS}
    return sorted(name for name in names if name.startswith(("/", "@")))
