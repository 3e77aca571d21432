from collections.abc import Callable
from typing import Any, final

@final
class Factory:
    def __init__(self, make: Callable[[], Any]) -> None: ...
