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
    ) -> None: ...
    def end(self) -> None: ...
