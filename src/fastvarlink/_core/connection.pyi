from collections.abc import Callable
from typing import Any

from fastvarlink._core.dispatch import MethodTable
from fastvarlink._core.reactor import Reactor, Source

class ServerConnection(Source):
    def __init__(
        self,
        request: Any,
        server: Any,
        table: MethodTable,
        limit: int,
        closed_callback: Callable[[ServerConnection], Any] | None = None,
    ) -> None: ...
    def start(self, reactor: Reactor) -> None: ...
    def close(self) -> None: ...
    def serve(self) -> None: ...
