"""Make the calls of a recording again and compare the replies, or answer calls as they were answered.

'varlink monitor -o FILE' makes recordings. Each recorded connection is made again, and the calls in their
order, each when the replies that were recorded before it have come. What differs is printed, and the status
is 1 then. With --as-service nobody is called: whoever calls gets the replies recorded for such a call.
"""

from __future__ import annotations

import contextlib
import signal
from argparse import ArgumentParser, Namespace
from typing import Any

from fastvarlink.cli.fault import FAILED, MISUSED, REJECTED, fail, told
from fastvarlink.cli.output import chosen_style, json_option, json_text, legible, show
from fastvarlink.cli.target import target_of, timeout_option, where_options
from fastvarlink.cli.traffic.difference import ABSENT, Difference, Path, matches, path_of, path_text
from fastvarlink.cli.traffic.player import Compared, Player
from fastvarlink.cli.traffic.recording import Record, read_recording
from fastvarlink.cli.traffic.screen import plural

EXAMPLES = (
    "varlink replay traffic.jsonl unix:/run/org.example.more",
    "varlink replay traffic.jsonl unix:/run/org.example.more --speed 1 --ignore parameters.pong",
    "varlink replay traffic.jsonl --as-service unix:./fake",
)

LONGEST = 80  # characters that are shown of a value


def arguments(parser: ArgumentParser) -> None:
    """What replay takes."""
    parser.add_argument("file", metavar="FILE", help="the recording")
    parser.add_argument("address", metavar="ADDRESS", nargs="?", help="where the service is, or is to be")
    parser.add_argument(
        "--speed",
        metavar="FACTOR",
        type=_speed,
        default=0.0,
        help="1: calls as they were recorded, 2: twice as fast; 0, the default: as fast as replies come",
    )
    parser.add_argument(
        "--ignore",
        metavar="PATH",
        action="append",
        default=[],
        type=_pattern,
        help="a member that may differ, and all in it, as in 'parameters.users[*].since'",
    )
    parser.add_argument("--as-service", action="store_true", help="listen at ADDRESS and answer as recorded")
    json_option(parser)
    timeout_option(parser)
    where_options(parser)


def _speed(text: str) -> float:
    value = float(text)
    if not 0 <= value < 1e9:
        raise ValueError(text)
    return value


def _pattern(text: str) -> Path:
    return path_of(text)


def run(args: Namespace) -> int | None:
    """Play, and tell what differs."""
    records = read_recording(args.file)
    if args.as_service:
        if args.address is None:
            fail("Nothing says where to answer; give an address behind the recording.", MISUSED)
        _answer(records, args.address, args.speed)
        return None
    if not any(record.kind == "call" for record in records):
        fail(f"The recording {args.file!r} has no calls.", REJECTED)
    report = Report(args)
    with target_of(args, args.address, None) as target, told(target.name):
        player = Player(records, target, args.speed)
        for compared in player.play():
            report.take(compared)
    report.finish(player)
    return FAILED if report.different else None


def _answer(records: list[Record], address: str, speed: float) -> None:
    """Answer as recorded, until ctrl-C or SIGTERM."""
    from fastvarlink.cli.traffic.answering import Answering, Book
    from fastvarlink.cli.traffic.endpoint import listening

    book = Book(records)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt), listening(address) as (endpoint, where):
        show(f"Listening at {where} with the replies to {plural(len(book), 'call')}; ctrl-C ends it.")
        Answering(book, speed).serve(endpoint)


class Report:
    """What is told of a replay: each difference as it is found, or all of them as JSON at the end."""

    def __init__(self, args: Namespace) -> None:
        self._json = args.json not in (None, "off")
        self._style = chosen_style(args.json)
        self._ignored: list[Path] = args.ignore
        self._replies = 0
        self.different = 0
        self._found: list[dict[str, Any]] = []

    def take(self, compared: Compared) -> None:
        """Take a comparison."""
        self._replies += 1
        found = [each for each in compared.found if not any(matches(each.path, one) for one in self._ignored)]
        self.different += bool(found)
        for each in found:
            if self._json:
                self._found.append(_as_json(compared, each))
            else:
                show(_as_line(compared, each))

    def finish(self, player: Player) -> None:
        """Tell how much there was."""
        if self._json:
            total = {"calls": player.calls, "skipped": len(player.skipped), "replies": self._replies}
            show(json_text({**total, "different": self.different, "differences": self._found}, self._style))
            return
        for record in player.skipped:
            show(
                f"#{record.connection} call {record.call} {legible(record.method)} was not made: the file "
                "descriptors that came with it were not recorded."
            )
        count = "none differs" if not self.different else f"{self.different} differ"
        count = "1 differs" if self.different == 1 else count
        show(f"{plural(player.calls, 'call')}, {plural(self._replies, 'reply', 'replies')}: {count}.")


def _as_line(compared: Compared, found: Difference) -> str:
    call = compared.call
    where = path_text(found.path) or "the reply"
    return legible(
        f"#{call.connection} call {call.call} {call.method}, reply {compared.number}: {where} "
        f"was {_short(found.before)}, is {_short(found.now)}"
    )


def _as_json(compared: Compared, found: Difference) -> dict[str, Any]:
    call = compared.call
    told_of: dict[str, Any] = {
        "connection": call.connection,
        "call": call.call,
        "method": call.method,
        "reply": compared.number,
        "path": path_text(found.path),
    }
    # A side that has nothing there has no member.
    sides = (("recorded", found.before), ("now", found.now))
    return told_of | {name: value for name, value in sides if value is not ABSENT}


def _short(value: Any) -> str:
    if value is ABSENT:
        return "not there"
    text = json_text(value, "short")
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
