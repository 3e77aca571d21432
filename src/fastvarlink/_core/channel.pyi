from collections.abc import Callable, Iterator
from typing import Any

from fastvarlink._core.call import CallPlan
from fastvarlink._core.control import Descriptors
from fastvarlink._core.session import ClientSession
from fastvarlink.limits import Limits

class Channel:
    reopen: Callable[[], Any] | None
    @property
    def connection(self) -> Any: ...
    @property
    def session(self) -> ClientSession: ...
    @property
    def busy(self) -> bool: ...
    @property
    def is_closed(self) -> bool: ...
    @property
    def limits(self) -> Limits: ...
    def __init__(
        self,
        connection: Any,
        limits: Limits,
        reopen: Callable[[], Any] | None = None,
        strict: bool = True,
    ) -> None: ...
    def close(self, why: str = ...) -> None: ...
    def call(
        self,
        plan: CallPlan,
        arguments: tuple[Any, ...],
        keywords: dict[str, Any],
        oneway: bool,
        namespaced: bool,
        descriptors: Descriptors | None = None,
    ) -> Any: ...
    def upgrade(
        self, plan: CallPlan, arguments: tuple[Any, ...], keywords: dict[str, Any], namespaced: bool
    ) -> tuple[Any, Any]: ...
    def send_message(self, message: bytes) -> None: ...
    def next_message(self) -> bytes: ...

class ReplyStream(Iterator[Any]):
    def __init__(
        self,
        channel: Channel,
        plan: CallPlan,
        parameters: bytes | None,
        namespaced: bool,
        descriptors: Descriptors | None = None,
    ) -> None: ...
    def __next__(self) -> Any: ...
    def __enter__(self) -> ReplyStream: ...
    def __exit__(self, *exception: object) -> None: ...
    def close(self) -> None: ...

class RemoteMethod:
    __name__: str
    def __init__(self, channel: Channel, plan: CallPlan, namespaced: bool, name: str, doc: str) -> None: ...
    def __call__(self, *args: Any, **kwargs: Any) -> Any: ...
