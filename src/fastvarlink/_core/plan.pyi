from collections.abc import Callable
from typing import Any

from fastvarlink._core.schema import Checker

KEYWORDS: dict[str, int]

class MethodPlan:
    @property
    def name(self) -> str: ...
    @property
    def sensitive(self) -> bool: ...
    def __init__(
        self,
        name: str,
        takes: Checker,
        gives: Checker,
        target: Any,
        attribute: str,
        *,
        interface: Any,
        method: Any,
        namespaced: bool,
        keywords_of: Callable[[Callable[..., Any]], tuple[int, bool]],
        encoder_of: Callable[[], Callable[[Any], Any] | None],
        checked: bool = True,
        defaults: tuple[Any, ...] | None = None,
        only: str | None = None,
        streams: bool = False,
        live: bool = False,
        upgrades: bool = False,
        descriptors: int = -2,
        sensitive: bool = False,
        brief: bool = False,
        timeout: float | None = None,
    ) -> None: ...
