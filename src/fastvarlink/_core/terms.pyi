from collections.abc import Callable
from typing import Any

from fastvarlink._core.connection import ServerConnection
from fastvarlink._core.tasks import Tasks
from fastvarlink.limits import Limits

class Terms:
    tasks: Tasks | None
    @property
    def limits(self) -> Limits: ...
    @property
    def strict(self) -> bool: ...
    @property
    def buffered(self) -> int: ...
    def __init__(
        self,
        limits: Limits,
        strict: bool = True,
        closed: Callable[[ServerConnection], Any] | None = None,
        upgraded: Callable[[Any, Callable[[Any], Any], bytes, Any], Any] | None = None,
    ) -> None: ...
