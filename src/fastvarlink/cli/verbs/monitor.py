"""Stand between clients and a service, pass everything on as it is, and show what they say to each other.

Clients connect to the address given by --listen in the place of the service's own. Ctrl-C ends it.
"""

from __future__ import annotations

import os
import signal
import time
from argparse import ArgumentParser, Namespace
from datetime import datetime
from fnmatch import fnmatchcase
from functools import partial
from io import FileIO

from fastvarlink.cli.fault import MISUSED, UNREACHABLE, fail
from fastvarlink.cli.output import Style, chosen_style, json_option, json_text, show
from fastvarlink.cli.target import Target, target_of, timeout_option, where_options
from fastvarlink.cli.traffic.endpoint import listening
from fastvarlink.cli.traffic.event import Event
from fastvarlink.cli.traffic.proxy import Proxy
from fastvarlink.cli.traffic.recording import first_line, line_of, record_of
from fastvarlink.cli.traffic.screen import Screen

EXAMPLES = (
    "varlink monitor unix:/run/org.example.more --listen unix:./monitored",
    "varlink monitor unix:/run/org.example.more --listen unix:./monitored -o traffic.jsonl",
    "varlink monitor unix:/run/org.example.more --listen unix:./monitored --filter 'org.example.*' --pretty",
)


def arguments(parser: ArgumentParser) -> None:
    """What monitor takes."""
    parser.add_argument("address", metavar="ADDRESS", nargs="?", help="where the service is")
    parser.add_argument(
        "-l", "--listen", metavar="ADDRESS", required=True, help="where clients find the monitor instead"
    )
    parser.add_argument("-o", "--output", metavar="FILE", help="write a recording to this file, too")
    parser.add_argument(
        "--lines",
        dest="json",
        action="store_const",
        const="short",
        help="print what a recording has, a line of JSON for each event; --json=short",
    )
    json_option(parser)
    parser.add_argument(
        "--filter",
        metavar="METHOD",
        action="append",
        help="only calls of methods that match, as in 'org.example.*', and their replies",
    )
    parser.add_argument("--no-payload", action="store_true", help="show no parameters")
    parser.add_argument("--pretty", action="store_true", help="show parameters indented")
    parser.add_argument("--full", action="store_true", help="show parameters whole, however long")
    timeout_option(parser)
    where_options(parser)


def run(args: Namespace) -> int | None:
    """Pass on until ctrl-C or SIGTERM; the status is 0 then."""
    with target_of(args, args.address, None) as target:
        _monitor(args, target)
    return None


def _monitor(args: Namespace, target: Target) -> None:
    recording = _created(args.output) if args.output else None
    with listening(args.listen) as (endpoint, address):
        report = Report(args, recording)
        began, now = time.monotonic_ns(), datetime.now().astimezone()
        proxy = Proxy(endpoint, target, report.note, report.flush, began)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, partial(_stop, proxy))
        report.start(address, target.name, now)
        proxy.run()


def _stop(proxy: Proxy, *_: object) -> None:
    proxy.stop()
    # Where the monitor is held up, by whoever should read its output, the second one ends it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _created(path: str) -> FileIO:
    try:
        # What is called may be secret.
        return FileIO(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "w")
    except OSError as error:
        fail(f"The recording cannot be written to {path!r}: {error.strerror}.", MISUSED)


class Report:
    """Where events go: to the screen, as lines or as JSON, and to a file. Written when there is time."""

    def __init__(self, args: Namespace, recording: FileIO | None) -> None:
        self._filters: list[str] | None = args.filter
        self._style: Style | None = None if args.json in (None, "off") else chosen_style(args.json)
        self._screen = Screen(payload=not args.no_payload, pretty=args.pretty, full=args.full)
        self._recording = recording
        self._shown: list[str] = []
        self._recorded: list[str] = []

    def start(self, listen: str, service: str, now: datetime) -> None:
        """Say what is monitored."""
        first = first_line(listen, service, now)
        if self._recording is not None:
            self._recorded.append(json_text(first, "short"))
        if self._style is None:
            when = now.isoformat(" ", "seconds")
            self._shown.append(f"Listening at {listen} for {service} since {when}; ctrl-C ends it.")
        else:
            self._shown.append(json_text(first, self._style))
        self.flush()

    def note(self, event: Event) -> None:
        """Take an event."""
        filters = self._filters
        if filters is not None and event.message is not None:
            wanted = any(fnmatchcase(event.method, pattern) for pattern in filters)
            if not wanted:
                return
        short = line_of(event) if self._recording is not None or self._style == "short" else ""
        if self._recording is not None:
            self._recorded.append(short)
        if self._style is None:
            # Who asks for some calls does not want to see who connects.
            if filters is None or event.message is not None or event.why:
                self._shown.append(self._screen.lines_of(event))
        else:
            self._shown.append(short or json_text(record_of(event), self._style))

    def flush(self) -> None:
        """Write what has been taken."""
        if self._recorded and self._recording is not None:
            self._write(self._recording, "".join(f"{line}\n" for line in self._recorded).encode())
            self._recorded.clear()
        if self._shown:
            shown = "\n".join(self._shown)
            self._shown.clear()
            show(shown)

    def _write(self, file: FileIO, data: bytes) -> None:
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[file.write(rest) or 0 :]
        except OSError as error:
            fail(f"The recording cannot be written: {error.strerror}.", UNREACHABLE)
