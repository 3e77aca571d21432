from typing import Any

from fastvarlink._core.dispatch import MethodTable
from fastvarlink._core.terms import Terms
from fastvarlink.peer import Peer

class WaitingConnection:
    @property
    def peer(self) -> Peer: ...
    @property
    def state(self) -> dict[Any, Any]: ...
    @property
    def request(self) -> Any: ...
    @property
    def idle(self) -> bool: ...
    def __init__(
        self,
        request: Any,
        server: Any,
        table: MethodTable,
        terms: Terms,
        peer: Peer | None = None,
        rights: bool = False,
        upgrades: bool = False,
    ) -> None: ...
    def serve(self) -> None: ...
    def finish(self) -> None: ...
