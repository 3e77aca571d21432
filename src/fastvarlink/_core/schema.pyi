from collections.abc import Iterable, Mapping

KINDS: dict[str, int]

class Checker:
    def __init__(
        self,
        kind: str,
        nullable: bool = False,
        element: Checker | None = None,
        values: Iterable[str] = (),
    ) -> None: ...
    def define(self, fields: Mapping[str, Checker]) -> None: ...
