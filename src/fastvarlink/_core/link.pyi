from typing import Any

from fastvarlink._core.framing import FrameReader, FrameWriter

def is_plain_socket(connection: Any) -> bool: ...

class Link:
    def __init__(self, fd: int, reader: FrameReader, writer: FrameWriter) -> None: ...
