from collections.abc import Callable, Iterator
from typing import Any

from fastvarlink._core.plan import MethodPlan, Origin

class MethodTable:
    def __init__(
        self,
        resolve: Callable[[str], MethodPlan],
        explain: Callable[[str | None, Exception], tuple[bytes, bytes | None]],
    ) -> None: ...
    def forget(self) -> None: ...

class Answerer:
    def __init__(self, session: Any, table: MethodTable, origin: Origin) -> None: ...

def respond(table: MethodTable, message: bytes, server: Any, request: Any, limit: int) -> Iterator[bytes]: ...
