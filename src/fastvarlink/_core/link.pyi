from fastvarlink._core.framing import FrameReader, FrameWriter

class Link:
    def __init__(self, fd: int, reader: FrameReader, writer: FrameWriter) -> None: ...
