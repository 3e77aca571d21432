"""What stands around the calls of a client."""

from __future__ import annotations

from collections.abc import Iterable

from fastvarlink._core.interception import Interception
from fastvarlink.interceptor import Interceptor

__all__ = ["interception_of"]


def interception_of(interceptors: Iterable[Interceptor], awaited: bool = False) -> Interception | None:
    """The interceptors of a client, None if there are none. TypeError for those that it cannot ask."""
    found = tuple(interceptors)
    if not found:
        return None
    interception = Interception(found)
    if interception.awaits and not awaited:
        raise TypeError(
            "One of the interceptors has a call() that is a coroutine function, which only aio.Client "
            "awaits: make it a plain function."
        )
    return interception
