from typing import TypeAlias

# Whether a line ends in it, the remark, the blocks, the documentation.
Gap: TypeAlias = tuple[bool, str, tuple[str, ...], str]

def tokens(text: str) -> list[tuple[str, int, int, Gap | None]]: ...
