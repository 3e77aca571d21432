"""What the bytes of one connection say: calls, and the replies that answer them."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple, NoReturn

from fastvarlink._core.framing import FrameReader
from fastvarlink.cli.traffic.event import Event, Side
from fastvarlink.error import ProtocolError
from fastvarlink.limits import Limits

__all__ = ["Dialogue"]

LIMIT = Limits().max_message_size


class _Waiting(NamedTuple):
    """A call that has not been answered to the end."""

    number: int
    method: str
    time: int
    upgrade: bool


class _Heard:
    """What one side has said so far."""

    def __init__(self) -> None:
        #: None once nobody looks at the bytes any more.
        self.reader: FrameReader | None = FrameReader(LIMIT)
        #: Bytes in the reader.
        self.held = 0
        self.total = 0
        #: Descriptors that came with the message whose end has not come.
        self.descriptors = 0

    def stop(self) -> None:
        self.reader = None
        self.held = 0


class Dialogue:
    """The conversation on one connection. ``note`` is told what happens in it."""

    def __init__(self, number: int, note: Callable[[Event], None]) -> None:
        self.number = number
        self._note = note
        self._heard: dict[Side, _Heard] = {"client": _Heard(), "service": _Heard()}
        self._waiting: deque[_Waiting] = deque()
        self._calls = 0
        #: A call for an upgrade waits: its reply decides what the bytes behind it are.
        self._undecided = False

    @property
    def sent(self) -> dict[Side, int]:
        """The bytes that each side has sent."""
        return {side: heard.total for side, heard in self._heard.items()}

    def stretch(self, side: Side, data: bytes) -> int:
        """How many of these bytes, which come next, to read by themselves, as descriptors may come with them.

        They belong to the first byte of a message.
        """
        heard = self._heard[side]
        if heard.reader is None:
            return len(data)
        if heard.held == 0:
            return min(1, len(data))
        reader = FrameReader(LIMIT)
        reader.receive(data)
        frame = reader.next_frame()
        return len(data) if frame is None else len(frame) + 1

    def received(self, side: Side, data: bytes, descriptors: int, time: int) -> None:
        """A side has sent bytes."""
        heard = self._heard[side]
        heard.total += len(data)
        if heard.reader is None:
            return
        heard.descriptors += descriptors
        heard.reader.receive(data)
        heard.held += len(data)
        self._read(side, time)

    def ended(self, side: Side, time: int) -> None:
        """A side says no more. What it has begun and not finished is no message."""
        heard = self._heard[side]
        if heard.reader is not None and heard.held and not (side == "client" and self._undecided):
            self._broken(side, heard.reader.rest(), time, "It has no end.")
            heard.stop()

    def _read(self, side: Side, time: int) -> None:
        heard = self._heard[side]
        while heard.reader is not None and not (side == "client" and self._undecided):
            try:
                frame = heard.reader.next_frame()
            except ProtocolError:
                self._too_long(side, time)
                return
            if frame is None:
                return
            heard.held -= len(frame) + 1
            self._message(side, frame, time)
        if heard.held > LIMIT:
            self._too_long(side, time)

    def _too_long(self, side: Side, time: int) -> None:
        self._heard[side].stop()
        why = (
            f"It is longer than {LIMIT} bytes. What this side sends is passed on and not looked at any more."
        )
        self._broken(side, b"", time, why)

    def _message(self, side: Side, frame: bytes, time: int) -> None:
        try:
            text = frame.decode()
            message = json.loads(text, parse_constant=_no_number)
        except (ValueError, RecursionError) as error:
            self._broken(side, frame, time, f"It is not JSON: {error}.")
            return
        if not isinstance(message, dict):
            self._broken(side, frame, time, f"It is no JSON object, but {type(message).__name__}.")
            return
        event = Event(kind="call", time=time, connection=self.number, side=side, size=len(frame))
        event.text, event.message = text, message
        heard = self._heard[side]
        event.descriptors, heard.descriptors = heard.descriptors, 0
        if side == "client":
            self._call(event, message)
        else:
            self._reply(event, message)

    def _call(self, event: Event, message: dict[str, Any]) -> None:
        method = message.get("method")
        if not isinstance(method, str):
            self._broken("client", event.text.encode(), event.time, "It calls no method.")
            return
        self._calls += 1
        event.call, event.method = self._calls, method
        if message.get("oneway") is not True:
            upgrade = message.get("upgrade") is True
            self._waiting.append(_Waiting(event.call, method, event.time, upgrade))
            self._undecided = upgrade
        self._note(event)

    def _reply(self, event: Event, message: dict[str, Any]) -> None:
        event.kind = "reply"
        if not self._waiting:
            event.why = "It answers no call."
            self._note(event)
            return
        call = self._waiting[0]
        event.call, event.method, event.latency = call.number, call.method, event.time - call.time
        self._note(event)
        if message.get("continues") is True:
            return
        self._waiting.popleft()
        if not call.upgrade:
            return
        self._undecided = False
        if message.get("error") is None:
            self._upgraded(event.time)
        else:
            self._read("client", event.time)

    def _upgraded(self, time: int) -> None:
        for heard in self._heard.values():
            heard.stop()
        self._note(Event(kind="upgraded", time=time, connection=self.number))

    def _broken(self, side: Side, data: bytes, time: int, why: str) -> None:
        event = Event(kind="broken", time=time, connection=self.number, side=side, size=len(data))
        event.data, event.why = data, why
        self._heard[side].descriptors = 0
        self._note(event)


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")
