from collections.abc import AsyncIterator, Coroutine
from typing import Any, Protocol, Self

from fastvarlink._core.call import CallPlan
from fastvarlink._core.control import Descriptors
from fastvarlink._core.taskchannel import Outstanding, TaskChannel

class _Carrier(Protocol):
    channel: TaskChannel
    async def ready(self, method: str, timeout: float | None) -> None: ...

class PendingCall(Outstanding, Coroutine[Any, Any, Any]):
    def __init__(
        self,
        carrier: _Carrier,
        plan: CallPlan,
        parameters: bytes | None,
        namespaced: bool,
        oneway: bool,
        timeout: float | None,
        descriptors: Descriptors | None = None,
        upgrade: bool = False,
    ) -> None: ...
    def send(self, value: None, /) -> Any: ...
    def throw(self, kind: Any, value: Any = None, traceback: Any = None, /) -> Any: ...
    def close(self) -> None: ...
    def __await__(self) -> Any: ...

class TaskStream(AsyncIterator[Any]):
    def __init__(
        self,
        carrier: _Carrier,
        plan: CallPlan,
        parameters: bytes | None,
        namespaced: bool,
        timeout: float | None,
        descriptors: Descriptors | None = None,
    ) -> None: ...
    def __anext__(self) -> Any: ...
    async def __aenter__(self) -> Self: ...
    async def __aexit__(self, *exception: object) -> None: ...
    async def aclose(self) -> None: ...

class NextReply: ...
