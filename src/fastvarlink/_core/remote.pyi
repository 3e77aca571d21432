from types import EllipsisType
from typing import Any

from fastvarlink._core.call import CallPlan
from fastvarlink._core.channel import Channel
from fastvarlink._core.interception import Interception

class Carrier:
    interception: Interception | None
    def __init__(self, timeout: float | None = None) -> None: ...
    def invoke(
        self,
        plan: CallPlan,
        arguments: tuple[Any, ...],
        more: bool,
        oneway: bool,
        timeout: float | EllipsisType | None = ...,
    ) -> Any: ...
    def close(self) -> None: ...

class DirectCarrier(Carrier):
    def __init__(self, channel: Channel, timeout: float | None = None) -> None: ...

class RemoteMethod:
    __name__: str
    def __init__(self, carrier: Carrier, plan: CallPlan, namespaced: bool, name: str, doc: str) -> None: ...
    def __call__(self, *args: Any, **kwargs: Any) -> Any: ...
