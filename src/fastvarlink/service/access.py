"""Who may call a service."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any, Literal

from fastvarlink._core.context import Context
from fastvarlink.peer import Peer

__all__ = ["Access", "Allow"]

Allow = Literal["root", "same-user"] | Iterable[Literal["root", "same-user"]] | Callable[[Any], bool]


class Access:
    """The rule that ``Service(allow=...)`` was given.

    ``"root"`` lets the superuser in, ``"same-user"`` the user that the service runs as, both of them either;
    a callable decides by itself. Who has no name, as on TCP, is only let in by a callable.
    """

    def __init__(self, allow: Allow) -> None:
        self._decide: Callable[[Any], bool] | None = None
        self._root = self._same_user = False
        if callable(allow):
            self._decide = allow
            return
        names = [allow] if isinstance(allow, str) else list(allow)
        for name in names:
            if name not in ("root", "same-user"):
                raise ValueError(
                    f"{name!r} is nobody that a service can allow: there are 'root' and 'same-user', and "
                    f"functions that decide."
                )
        self._root = "root" in names
        self._same_user = "same-user" in names

    def allows_call(self, context: Context) -> bool:
        """Whether a call may be made: a callable is asked with the call's Context."""
        if self._decide is not None:
            return bool(self._decide(context))
        return self._knows(context.peer)

    def allows_connection(self, peer: Peer) -> bool:
        """Whether a peer may connect: a callable is asked with the Peer."""
        if self._decide is not None:
            return bool(self._decide(peer))
        return self._knows(peer)

    def _knows(self, peer: Peer) -> bool:
        if peer.uid is None:
            return False
        return (self._root and peer.uid == 0) or (self._same_user and peer.uid == os.geteuid())
