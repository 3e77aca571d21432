from collections.abc import Callable, Iterator
from typing import Any

from fastvarlink._core.context import Context, Origin
from fastvarlink._core.interception import Interception
from fastvarlink._core.plan import MethodPlan
from fastvarlink.limits import Limits

class MethodTable:
    interception: Interception | None
    def __init__(
        self,
        resolve: Callable[[str], MethodPlan],
        explain: Callable[[str | None, Exception, bool], tuple[bytes, bytes | None]],
        allow: Callable[[Context], bool] | None = None,
        own_loop: Any = None,
    ) -> None: ...
    def forget(self) -> None: ...

class Answerer:
    def __init__(self, session: Any, table: MethodTable, origin: Origin) -> None: ...

def respond(
    table: MethodTable, message: bytes, server: Any, request: Any, limits: Limits
) -> Iterator[bytes]: ...
