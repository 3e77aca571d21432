"""Addresses that stand for a program which answers, or which carries a connection to a service.

exec:/path              a program that finds the connection where services look for passed sockets
ssh-unix:HOST:/path     a socket of another machine (ssh:HOST:/path is the same)
ssh-exec:HOST:COMMAND   a command of another machine that speaks Varlink on its standard streams
SCHEME:...              whatever a helper program of that name understands
"""

from __future__ import annotations

import os
import re

from fastvarlink import address as addresses
from fastvarlink.client.programs import Bridge, PassedConnection
from fastvarlink.client.ways import Way
from fastvarlink.error import AddressError

__all__ = ["HELPERS", "way_by_scheme"]

#: Where the helper programs are, unless VARLINK_BRIDGES_DIR or SYSTEMD_VARLINK_BRIDGES_DIR says otherwise.
HELPERS = "/usr/lib/systemd/varlink-bridges"

_NAME = re.compile(r"[a-z][a-z0-9+.-]*")


def way_by_scheme(text: str) -> Way:
    """The way to an address that begins with a scheme, one of a program. AddressError if there is none."""
    scheme, _, rest = text.partition(":")
    if "\0" in text:
        raise AddressError(f"Invalid address {text!r}: it cannot contain a NUL.")
    if scheme == "exec":
        path = rest.partition(";")[0]
        if not path.startswith("/"):
            raise AddressError(f"Invalid address '{text}': it must read 'exec:/PATH/OF/A/PROGRAM'.")
        return PassedConnection([path], f"exec:{path}")
    if scheme in ("ssh", "ssh-unix"):
        host, path = _split_host(text, rest.partition(";")[0], "/PATH/OF/A/SOCKET")
        if not path.startswith("/"):
            raise AddressError(
                f"Invalid address '{text}': ssh reaches sockets by an absolute path alone, "
                f"as in 'ssh-unix:HOST:/run/org.example.service'."
            )
        return Bridge([_ssh(), "-W", path, host], text)
    if scheme == "ssh-exec":
        host, command = _split_host(text, rest, "COMMAND")
        # What is asked for by the variable is what other services do of themselves. The command is for the
        # shell over there, which also takes its quotes away.
        return Bridge([_ssh(), "-e", "none", "-T", host, "env", "SYSTEMD_VARLINK_LISTEN=-", command], text)
    return _way_by_helper(scheme, text)


def _split_host(text: str, rest: str, what: str) -> tuple[str, str]:
    host, _, behind = rest.partition(":")
    # ssh would take a host that begins with a dash for an option, and some of those run commands here.
    if not host or host.startswith("-") or not behind.strip():
        raise AddressError(f"Invalid address '{text}': it must read '{text.partition(':')[0]}:HOST:{what}'.")
    return host, behind


def _ssh() -> str:
    return os.environ.get("SYSTEMD_SSH") or "ssh"


def _folder() -> str:
    named = (os.environ.get(f"{prefix}VARLINK_BRIDGES_DIR") for prefix in ("", "SYSTEMD_"))
    return next(filter(None, named), HELPERS)


def _way_by_helper(scheme: str, text: str) -> Way:
    helper = None
    if _NAME.fullmatch(scheme):
        helper = os.path.join(_folder(), scheme)
        if os.path.exists(helper):
            return PassedConnection([helper, text], text)
    looked = "" if helper is None else f" There is no helper program '{helper}' for it either."
    known = ", ".join(f"'{each}:'" for each in (*addresses.SCHEMES, "exec", "ssh-unix", "ssh-exec"))
    raise AddressError(
        f"Invalid address '{text}': it must begin with one of {known}, or be a path that begins with '/' "
        f"or './'.{looked}"
    )
