"""Tell what changed between two versions of a definition, and what of it breaks programs.

Callers are programs that send parameters by the old version, readers those that read its replies and errors.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from fastvarlink.cli.definitions import definition_argument, definition_options, parsed, read_source
from fastvarlink.cli.fault import FAILED
from fastvarlink.cli.output import (
    Colour,
    chosen_style,
    json_option,
    json_text,
    legible,
    on_terminal,
    painted,
    show,
)
from fastvarlink.idl.comparison import Change, Impact, compare

EXAMPLES = (
    "varlink diff org.example.more.varlink unix:/run/org.example.more/org.example.more",
    "varlink diff -j unix:/run/org.example.more org.example.more.varlink",
)

# By whether callers and whether readers break.
_LABELS: dict[tuple[bool, bool], tuple[str, Colour]] = {
    (True, True): ("breaks callers and readers", "red"),
    (True, False): ("breaks callers", "red"),
    (False, True): ("breaks readers", "red"),
    (False, False): ("compatible", "green"),
}


def arguments(parser: ArgumentParser) -> None:
    """What diff takes."""
    definition_argument(parser, "old", "OLD")
    definition_argument(parser, "new", "NEW")
    json_option(parser)
    definition_options(parser)


def run(args: Namespace) -> int | None:
    """Read both, compare, and print each change."""
    old, new = (parsed(read_source(args, word)) for word in (args.old, args.new))
    changes = compare(old, new)
    if args.json not in (None, "off"):
        show(json_text([_as_json(change) for change in changes], chosen_style(args.json)))
    else:
        for change in changes:
            label, colour = _LABELS[change.callers is Impact.BREAKING, change.readers is Impact.BREAKING]
            show(f"{painted(label, colour)}: {legible(str(change))}")
        if not changes and on_terminal():
            show("Nothing that programs can see has changed.")
    return FAILED if any(change.breaking for change in changes) else None


def _as_json(change: Change) -> dict[str, str | bool]:
    return {
        "path": change.path,
        "message": change.message,
        "reason": change.reason,
        "breaking": change.breaking,
        "callers": change.callers.value,
        "readers": change.readers.value,
    }
