from collections.abc import Callable
from typing import Any

from fastvarlink._core.remote import Carrier
from fastvarlink.limits import Limits

class Turn: ...

class ChannelPool(Carrier):
    def __init__(
        self,
        connect: Callable[..., Any],
        size: int,
        limits: Limits,
        strict: bool = True,
        timeout: float | None = None,
        busy_poll: float = 0,
    ) -> None: ...
    def end(self) -> None: ...
