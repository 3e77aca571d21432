from collections.abc import Callable, Mapping
from typing import Any

from fastvarlink._core.schema import Checker
from fastvarlink._core.session import ClientSession

class CallPlan:
    @property
    def name(self) -> str: ...
    def __init__(
        self,
        name: str,
        takes: Checker,
        gives: Checker,
        error_of: Callable[[dict[str, Any], bool], Exception],
        encoder: Callable[[Any], Any] | None = None,
        typed: bool = False,
    ) -> None: ...
    def parameters(self, arguments: tuple[Any, ...], keywords: Mapping[str, Any]) -> bytes: ...
    def result(self, parameters: dict[str, Any], namespaced: bool) -> Any: ...
    def send(self, session: ClientSession, parameters: bytes, more: bool, oneway: bool) -> None: ...
    def answer(self, session: ClientSession, namespaced: bool) -> Any: ...
