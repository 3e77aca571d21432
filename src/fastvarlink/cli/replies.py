"""Replies as they come: printed, collected, or told as an error."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from fastvarlink.cli.fault import FAILED, explain, fail
from fastvarlink.cli.output import chosen_style, json_text, on_terminal, show
from fastvarlink.cli.session import Reply
from fastvarlink.error import VarlinkError

__all__ = ["Printer"]

# What begins each text of a JSON text sequence.
RECORD_SEPARATOR = "\x1e"


class Printer:
    """Prints the replies to one call as the options of the verb call say."""

    def __init__(self, args: Namespace, whom: str, method: str) -> None:
        self._whom = whom
        self._method = method
        self._quiet: bool = args.quiet
        self._graceful: list[str] = args.graceful
        self._style = "short" if args.lines and args.json is None else chosen_style(args.json)
        self._before = RECORD_SEPARATOR if args.more and not args.lines and not on_terminal() else ""
        self._collected: list[dict[str, Any]] | None = [] if args.collect else None

    def take(self, reply: Reply) -> None:
        """Print a reply, or put it to the others. Fails for an error that is not graceful."""
        if reply.error is not None:
            self.refuse(reply)
        if self._collected is not None:
            self._collected.append(reply.parameters)
        elif not self._quiet:
            show(self._before + json_text(reply.parameters, self._style))

    def refuse(self, reply: Reply) -> int | None:
        """Fail for an error; None if it is one that counts as success."""
        if reply.error in self._graceful:
            return None
        try:
            reply.check()
        except VarlinkError as error:
            self.finish()
            fail(*explain(self._whom, error, self._method))
        return FAILED

    def finish(self) -> int | None:
        """Print what was collected."""
        if self._collected is not None and not self._quiet:
            show(json_text(self._collected, self._style))
        return None
