"""An interceptor that says which user may call which method."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from fnmatch import fnmatchcase

import fastvarlink as varlink


class AllowList(varlink.Interceptor):
    """Lets users call what ``allowed`` says: patterns of qualified methods, each with the users' numbers.

        AllowList({"org.example.users.Get*": [1000, 1001], "org.example.users.*": [0]})

    Everybody may call org.varlink.service. All else is refused with PermissionDenied, also to those who have
    no number, as on TCP.
    """

    def __init__(self, allowed: Mapping[str, Collection[int]]) -> None:
        self._allowed = {pattern: frozenset(users) for pattern, users in allowed.items()}

    def call(self, call: varlink.Call) -> None:
        assert call.context is not None
        user = call.context.peer.uid
        if call.method.startswith("org.varlink.service."):
            return
        for pattern, users in self._allowed.items():
            if user in users and fnmatchcase(call.method, pattern):
                return
        raise varlink.error.PermissionDenied()
