from collections.abc import Callable
from typing import Any

from fastvarlink._core.remote import Carrier
from fastvarlink.limits import Limits

class PendingReply:
    @property
    def done(self) -> bool: ...
    def result(self) -> Any: ...

class PipelineCarrier(Carrier):
    def __init__(
        self,
        connect: Callable[..., Any],
        limits: Limits,
        strict: bool = True,
        timeout: float | None = None,
        busy_poll: float = 0,
    ) -> None: ...
    def finish(self) -> None: ...
    def abandon(self) -> None: ...
