"""The reader of frames against a model of three lines."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastvarlink._core.framing import FrameReader, frame_of
from fastvarlink.error import ProtocolError

LIMIT = 40
bounded = settings(deadline=None, derandomize=True, max_examples=400)
#: Bytes in which frames end often, and some are over the limit.
pieces = st.one_of(
    st.lists(st.sampled_from([b"", b"\0", b"a", b"\xff", b"bc\0d", b"e" * 20]), max_size=6).map(b"".join),
    st.binary(max_size=30),
)
steps = st.lists(st.one_of(pieces, st.sampled_from(["next", "next", "rest"])), max_size=60)


class Model:
    """What a FrameReader is, without regard to speed."""

    def __init__(self) -> None:
        self.bytes = b""

    def next_frame(self) -> bytes | None:
        frame, nul, rest = self.bytes.partition(b"\0")
        if len(frame) > LIMIT:
            raise ProtocolError("too large")
        if not nul:
            return None
        self.bytes = rest
        return frame

    def rest(self) -> bytes:
        rest, self.bytes = self.bytes, b""
        return rest


@bounded
@given(steps)
def test_the_reader_does_what_the_model_does(taken: list[bytes | str]) -> None:
    """How far the reader had looked could be lost between reads, and the end of a frame with it."""
    reader, model = FrameReader(LIMIT), Model()
    for step in taken:
        if isinstance(step, bytes):
            reader.receive(step)
            model.bytes += step
        elif step == "rest":
            assert reader.rest() == model.rest()
        else:
            try:
                expected = model.next_frame()
            except ProtocolError:
                with pytest.raises(ProtocolError):
                    reader.next_frame()
                # The connection is over; there is no next frame to agree on.
                return
            assert reader.next_frame() == expected


@bounded
@given(st.data())
def test_any_split_gives_the_same_frames(data: st.DataObject) -> None:
    """A frame must not depend on the pieces in which it came."""
    frames = data.draw(st.lists(st.binary(max_size=50).map(lambda frame: frame.replace(b"\0", b" "))))
    sent = b"".join(frame_of(frame) for frame in frames)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(sent)), max_size=20)))
    reader = FrameReader(1000)
    received = []
    for start, end in zip([0, *cuts], [*cuts, len(sent)], strict=True):
        reader.receive(sent[start:end])
        while (frame := reader.next_frame()) is not None:
            received.append(frame)
    assert received == frames
    assert reader.rest() == b""


def test_a_large_frame_in_many_pieces() -> None:
    """Buffers move and grow while a frame arrives: nothing of it may be lost or doubled."""
    message = bytes(range(1, 256)) * 4000
    sent = frame_of(message) + frame_of(b"next") + b"rest"
    reader = FrameReader(len(message))
    size = 1
    received = []
    while sent:
        reader.receive(sent[:size])
        sent = sent[size:]
        size = size * 5 // 3 + 1
        while (frame := reader.next_frame()) is not None:
            received.append(frame)
    assert received == [message, b"next"]
    assert reader.rest() == b"rest"


@pytest.mark.parametrize("over", [0, 1])
@pytest.mark.parametrize("ended", [True, False])
def test_the_limit_counts_the_frame_without_its_end(over: int, ended: bool) -> None:
    """A frame of exactly the limit is one; a byte more is refused, whether or not its end has come."""
    reader = FrameReader(LIMIT)
    message = b"a" * (LIMIT + over)
    reader.receive(frame_of(message) if ended else message)
    if over:
        with pytest.raises(ProtocolError, match=str(LIMIT)):
            reader.next_frame()
    else:
        assert reader.next_frame() == (message if ended else None)
