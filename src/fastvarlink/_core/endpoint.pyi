from typing import Any

from fastvarlink._core.dispatch import MethodTable
from fastvarlink._core.reactor import Source
from fastvarlink._core.terms import Terms
from fastvarlink.peer import Peer

class Endpoint(Source):
    @property
    def peer(self) -> Peer: ...
    @property
    def state(self) -> dict[Any, Any]: ...
    @property
    def request(self) -> Any: ...
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
