"""Events as lines for people."""

from __future__ import annotations

from fastvarlink.cli.output import coloured, json_text, legible
from fastvarlink.cli.traffic.event import Event

__all__ = ["Screen", "plural"]

LONGEST = 160  # characters of a line of a payload
MOST = 20  # lines of an indented payload

_RESET = "\x1b[0m"
_DIM, _RED, _GREEN, _CYAN = "\x1b[2m", "\x1b[31m", "\x1b[32m", "\x1b[36m"
_ARROWS = {"client": "->", "service": "<-", None: "  "}
_FLAGS = ("more", "oneway", "upgrade", "continues")


class Screen:
    """How events are shown: with their payload or not, indented or on the same line, shortened or whole."""

    def __init__(self, *, payload: bool, pretty: bool, full: bool) -> None:
        self._payload = payload
        self._pretty = pretty
        self._full = full
        self._colours = coloured()

    def lines_of(self, event: Event) -> str:
        """What is shown of an event, without the end of the last line."""
        head = f"{event.time / 1e9:12.6f}  #{event.connection:<3} {_ARROWS[event.side]} "
        if event.message is not None:
            return head + self._message(event)
        return head + self._colour(_RED if event.why else _DIM, self._other(event))

    def _message(self, event: Event) -> str:
        message = event.message or {}
        error = message.get("error")
        colour = _RED if error is not None else _CYAN if event.kind == "call" else _GREEN
        parts = [self._colour(colour, _name(event.method or "?"))]
        parts += [flag for flag in _FLAGS if message.get(flag) is True]
        if error is not None:
            parts.append(self._colour(_RED, f"error {_name(str(error))}"))
        if event.latency is not None:
            parts.append(f"{event.latency / 1e6:.3f} ms")
        parts.append(f"{event.size} bytes")
        if event.descriptors:
            parts.append(plural(event.descriptors, "file descriptor"))
        if event.why:
            parts.append(self._colour(_RED, event.why))
        line = "  ".join(parts)
        parameters = message.get("parameters")
        if not self._payload or not parameters:
            return line
        return line + self._shown(parameters)

    def _shown(self, parameters: object) -> str:
        if not self._pretty:
            return "  " + self._shortened(legible(json_text(parameters, "short")))
        lines = json_text(parameters, "pretty").split("\n")
        more = 0 if self._full else max(0, len(lines) - MOST)
        shown = [self._shortened(line) for line in (lines[:MOST] if more else lines)]
        if more:
            shown.append(f"... {plural(more, 'more line')}")
        return "".join(f"\n    {line}" for line in shown)

    def _shortened(self, text: str) -> str:
        more = len(text) - LONGEST
        if self._full or more <= 0:
            return text
        # A colour may begin in what is shown and end in what is not.
        reset = _RESET if self._colours else ""
        return f"{text[:LONGEST]}{reset}... {plural(more, 'more character')}"

    def _other(self, event: Event) -> str:
        if event.kind == "open":
            return "connected"
        if event.kind == "refused":
            return f"refused: {event.why}"
        if event.kind == "upgraded":
            return "upgraded; what follows is passed on and not looked at"
        if event.kind == "eof":
            return f"the {event.side} sends no more"
        if event.kind == "end":
            who = f"closed by the {event.side}" if event.side else "closed"
            sent = event.sent or {"client": 0, "service": 0}
            return f"{who}; {sent['client']} bytes from the client, {sent['service']} from the service"
        if event.kind == "broken":
            shown = legible(event.data[: 4 * LONGEST].decode(errors="backslashreplace")).replace("\n", "\\n")
            return f"{event.size} bytes that are no message: {_sentence(event.why)}  {self._shortened(shown)}"
        return event.why

    def _colour(self, colour: str, text: str) -> str:
        return f"{colour}{text}{_RESET}" if self._colours else text


def _name(name: str) -> str:
    """A name in one line, whatever it is made of."""
    return legible(name[:LONGEST]).replace("\n", "\\n").replace("\t", "\\t")


def _sentence(why: str) -> str:
    return legible(why).replace("\n", " ")


def plural(number: int, one: str, many: str | None = None) -> str:
    """So many of something, in words."""
    return f"{number} {one if number == 1 else many or one + 's'}"
