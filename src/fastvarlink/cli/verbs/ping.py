"""Measure how long a service takes to answer.

It calls org.varlink.service.GetInfo, or another method, on one connection, and prints how long each took.
With --flood calls follow each other as fast as replies come. Ctrl-C ends it; it prints a summary at its end.
"""

from __future__ import annotations

import contextlib
import json
import sys
import time
from argparse import ArgumentParser, Namespace
from threading import Event
from typing import Any

from fastvarlink.cli.fault import FAILED, MISUSED, fail, told
from fastvarlink.cli.numbers import how_many, span
from fastvarlink.cli.output import chosen_style, columns, json_option, json_text, legible, on_terminal, show
from fastvarlink.cli.parameters import read_parameters
from fastvarlink.cli.target import Target, is_method, target_of, timeout_option, where_options
from fastvarlink.cli.traffic.caller import MOST_IN_FLIGHT, Caller, Flooder, Lost
from fastvarlink.cli.traffic.latencies import Latencies, bars, span_text

EXAMPLES = (
    "varlink ping -c 3 -i 0.1 unix:/run/org.example.more",
    "varlink ping -c 3 -i 0.1 unix:/run/org.example.more --method org.example.more.Ping ping=hello",
    "varlink ping --flood -c 1000 --connections 2 --in-flight 8 unix:/run/org.example.more",
)

PERCENTILES = (50.0, 90.0, 99.0, 99.9)
TIMEOUT = 10.0
REDRAW = 0.1  # seconds
PATIENCE = 1.0  # seconds that calls under way have at the end


def arguments(parser: ArgumentParser) -> None:
    """What ping takes."""
    parser.add_argument(
        "words",
        metavar="ADDRESS [PARAMETERS]",
        nargs="*",
        help="where the service is; for --method, its parameters: JSON, or KEY=VALUE ...",
    )
    parser.add_argument("-c", "--count", metavar="COUNT", type=how_many, help="make so many calls")
    parser.add_argument(
        "-i", "--interval", metavar="SECONDS", type=span, default=1.0, help="from call to call; 1"
    )
    parser.add_argument("--method", metavar="INTERFACE.METHOD", help="call this one instead of GetInfo")
    parser.add_argument("--flood", action="store_true", help="call as fast as replies come")
    parser.add_argument(
        "--connections", metavar="N", type=how_many, help="with --flood: so many at a time, each in a thread"
    )
    parser.add_argument(
        "--in-flight",
        metavar="N",
        type=how_many,
        help=f"with --flood: so many calls wait for replies on each connection, {MOST_IN_FLIGHT} at most",
    )
    json_option(parser)
    timeout_option(parser)
    where_options(parser)
    parser.set_defaults(timeout=TIMEOUT)


def run(args: Namespace) -> int | None:
    """Call, and sum up. The status is 0 if any reply came."""
    if not args.flood and (args.connections or args.in_flight):
        fail("--connections and --in-flight are for --flood.", MISUSED)
    if (args.in_flight or 1) > MOST_IN_FLIGHT:
        fail(f"--in-flight can be {MOST_IN_FLIGHT} at most; use more --connections.", MISUSED)
    if args.method is not None and not is_method(args.method):
        fail(f"{args.method!r} is no method; write INTERFACE.METHOD.", MISUSED)
    started = args.activate or args.bridge
    address, words = (None, args.words) if started or not args.words else (args.words[0], args.words[1:])
    if words and args.method is None:
        fail(f"{words[0]!r} is a parameter, and GetInfo has none; name the method by --method.", MISUSED)
    interface = args.method and args.method.rpartition(".")[0]
    with target_of(args, address, interface) as target:
        message = _message(args, target, words)
        method = args.method or "org.varlink.service.GetInfo"
        count = Count(target, method, quiet=args.json not in (None, "off"))
        (_flood if args.flood else _ping)(args, target, message, count)
    if args.json not in (None, "off"):
        show(json_text(count.as_json(), chosen_style(args.json)))
    else:
        count.sum_up()
    return None if count.latencies.count else FAILED


def _message(args: Namespace, target: Target, words: list[str]) -> bytes:
    """The call, as it is sent."""
    if args.method is None:
        return b'{"method":"org.varlink.service.GetInfo"}'

    def definition() -> Any:
        from fastvarlink.cli.definitions import ask_definition

        with target.session() as session, told(target.name):
            return ask_definition(session, args.method.rpartition(".")[0])

    parameters = read_parameters(words, args.method, definition)
    call = {"method": args.method, "parameters": parameters}
    return json.dumps(call, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")


class Count:
    """What came of the calls so far, and how it is shown. ``quiet`` leaves all to as_json()."""

    def __init__(self, target: Target, method: str, quiet: bool) -> None:
        self.latencies = Latencies(True)
        self.lost = 0
        self.errors = 0
        self.first_error: str | None = None
        self.connecting: list[int] = []
        #: Seconds of a flood.
        self.seconds: float | None = None
        self._target = target
        self._method = method
        self._quiet = quiet
        self._drawn = False

    @property
    def calls(self) -> int:
        """How many are over."""
        return self.latencies.count + self.lost

    def say(self, line: str) -> None:
        """Print a line, above the histogram."""
        if not self._quiet:
            self.clear()
            show(line)

    def clear(self) -> None:
        """Take the histogram away."""
        if self._drawn:
            self._drawn = False
            show("\r\x1b[K", end="")

    def draw(self, head: str = "") -> None:
        """Draw the histogram in the place of the one before, on a terminal."""
        if self._quiet or not on_terminal() or not self.latencies.count:
            return
        text = f"{head}{self._histogram()}"
        self.clear()
        self._drawn = True
        show(text[: columns() - 1], end="")

    def _histogram(self) -> str:
        spans = self.latencies
        buckets = spans.columns(max(8, min(40, columns() - 60)))
        shape = bars(buckets, sys.stdout.encoding or "ascii")
        middle, late = spans.percentiles((50.0, 99.0))
        return (
            f"{span_text(spans.least)} {shape} {span_text(spans.most)}  "
            f"p50 {span_text(middle)}  p99 {span_text(late)}  lost {self.lost}"
        )

    def sum_up(self) -> None:
        """Print the summary."""
        spans = self.latencies
        self.say(f"--- {self._method} at {legible(self._target.name)}")
        share = 100 * self.lost / self.calls if self.calls else 0
        line = f"{self.calls} calls, {spans.count} replies, {self.lost} lost ({share:.3g} %)"
        if self.errors:
            line += f", {self.errors} of the replies errors, first {legible(self.first_error or '')}"
        if self.seconds:
            line += f", {spans.count / self.seconds:.0f} calls a second"
        self.say(line)
        if not spans.count:
            return
        values = [("min", float(spans.least)), ("mean", spans.mean)]
        values += [
            (f"p{percent:g}", span)
            for percent, span in zip(PERCENTILES, spans.percentiles(PERCENTILES), strict=True)
        ]
        values.append(("max", float(spans.most)))
        self.say("  ".join(f"{name} {span_text(span)}" for name, span in values))
        if on_terminal():
            self.say(self._histogram())

    def as_json(self) -> dict[str, Any]:
        """The summary; times are in seconds."""
        spans = self.latencies
        summary: dict[str, Any] = {
            "address": self._target.name,
            "method": self._method,
            "connect": [span / 1e9 for span in self.connecting],
            "calls": self.calls,
            "replies": spans.count,
            "errors": self.errors,
            "lost": self.lost,
        }
        if self.seconds is not None:
            summary["seconds"] = self.seconds
            summary["calls_per_second"] = spans.count / self.seconds if self.seconds else 0.0
        if spans.count:
            found = zip(PERCENTILES, spans.percentiles(PERCENTILES), strict=True)
            summary["latency"] = {
                "min": spans.least / 1e9,
                "mean": spans.mean / 1e9,
                **{f"p{percent:g}": span / 1e9 for percent, span in found},
                "max": spans.most / 1e9,
                "exact": spans.exact,
            }
        return summary


def _ping(args: Namespace, target: Target, message: bytes, count: Count) -> None:
    """A call each interval, until there were enough or ctrl-C."""
    caller = Caller(target, message)
    with contextlib.suppress(KeyboardInterrupt), contextlib.closing(caller):
        with told(target.name):
            _connect(caller, count, target)
        due = time.monotonic()
        while True:
            with told(target.name):
                _call(caller, count, target)
            count.draw()
            if args.count is not None and count.calls >= args.count:
                return
            # A slow call moves those after it, and none is made up for.
            due = max(due + args.interval, time.monotonic())
            time.sleep(max(0.0, due - time.monotonic()))


def _connect(caller: Caller, count: Count, target: Target) -> None:
    took = caller.connect()
    count.connecting.append(took)
    count.say(f"connected to {legible(target.name)} in {span_text(took)}")


def _call(caller: Caller, count: Count, target: Target) -> None:
    number = count.calls + 1
    try:
        with caller.losing():
            if not caller.connected:
                _connect(caller, count, target)
        answer = caller.call()
    except Lost as loss:
        count.lost += 1
        count.say(f"{number}: lost: {loss}")
        return
    count.latencies.add(answer.span)
    line = f"{number}: {answer.size} bytes in {span_text(answer.span)}"
    if answer.error is not None:
        count.errors += 1
        count.first_error = count.first_error or answer.error
        line += f", error {legible(answer.error)}"
    count.say(line)


def _flood(args: Namespace, target: Target, message: bytes, count: Count) -> None:
    """As many calls as possible, until there were enough or ctrl-C."""
    connections = args.connections or 1
    if args.count is not None:
        connections = min(connections, args.count)
    stopping = Event()
    flooders = []
    for i in range(connections):
        share = None if args.count is None else args.count // connections + (i < args.count % connections)
        flooders.append(Flooder(target, message, args.in_flight or 1, share, stopping))
    with told(target.name):
        count.connecting = [flooder.connect() for flooder in flooders]
    first = f"connected to {legible(target.name)} in {span_text(count.connecting[0])}"
    count.say(first if connections == 1 else f"{first}, {connections} times")
    start = time.monotonic()
    with contextlib.suppress(KeyboardInterrupt):
        for flooder in flooders:
            flooder.start()
        _watch(flooders, count)
    stopping.set()
    _end(flooders)
    count.seconds = time.monotonic() - start
    _gather(flooders, count)
    with told(target.name):
        for flooder in flooders:
            if flooder.fault is not None:
                raise flooder.fault


def _watch(flooders: list[Flooder], count: Count) -> None:
    """Draw what happens, until all are done."""
    before, then = 0, time.monotonic()
    for flooder in flooders:
        while flooder.is_alive():
            flooder.join(REDRAW)
            if not on_terminal():
                continue
            _gather(flooders, count)
            now = time.monotonic()
            rate = (count.latencies.count - before) / max(now - then, 1e-9)
            before, then = count.latencies.count, now
            count.draw(f"{rate:.0f}/s  ")


def _end(flooders: list[Flooder]) -> None:
    """Let calls under way finish, for a while."""
    due = time.monotonic() + PATIENCE
    for flooder in flooders:
        if flooder.ident is not None:
            flooder.join(max(0.0, due - time.monotonic()))
            flooder.cut()
            flooder.join()


def _gather(flooders: list[Flooder], count: Count) -> None:
    count.latencies = Latencies.together(flooder.latencies for flooder in flooders)
    count.lost = sum(flooder.lost for flooder in flooders)
    count.errors = sum(flooder.errors for flooder in flooders)
    count.first_error = next((each.first_error for each in flooders if each.first_error), None)
