"""Feeds the reader of frames with what a fuzzer makes up. It needs atheris.

    python tests/fuzz/fuzz_framing.py -max_total_time=60 tests/fuzz/corpus/framing

The arguments are those of fuzz_idl.py.
"""

from __future__ import annotations

import atheris
from fuzzing import SIZES, fuzz, pieces
from rules import split

with atheris.instrument_imports(include=["fastvarlink"]):
    from fastvarlink._core.framing import FrameReader
    from fastvarlink.error import ProtocolError

#: Small enough to be reached within a piece as well as across two.
LIMIT = 200


def read(data: bytes) -> None:
    """The same frames and the same end come of any pieces."""
    expected = split(data, LIMIT)
    for size in SIZES:
        reader = FrameReader(LIMIT)
        frames: list[bytes] = []
        too_large = False
        try:
            for piece in pieces(data, size):
                reader.receive(piece)
                while (frame := reader.next_frame()) is not None:
                    frames.append(frame)
        except ProtocolError:
            too_large = True
        assert (frames, too_large) == expected, f"In pieces of {size} bytes: {frames}, {too_large}."
        if not too_large:
            assert reader.rest() == data.rpartition(b"\0")[2], f"In pieces of {size} bytes another rest."


if __name__ == "__main__":
    fuzz(read)
