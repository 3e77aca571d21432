"""What was found in definitions: for people with the line and a caret, for programs as JSON."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from fastvarlink.cli.output import Colour, chosen_style, json_text, legible, painted, show
from fastvarlink.idl.faults import Fault
from fastvarlink.idl.linter import Finding

__all__ = ["Found", "show_found"]

Severity = Literal["error", "warning"]
_PAINTS: dict[Severity, Colour] = {"error": "red", "warning": "yellow"}


class Found(NamedTuple):
    """Something at a place of a definition. ``file`` is the path or what else the definition is called."""

    file: str
    severity: Severity
    fault: Fault


def show_found(args: Namespace, found: Sequence[Found]) -> None:
    """Print all that was found, in the order and the form that is asked for; as JSON it is an array."""
    if args.json not in (None, "off"):
        show(json_text([_as_json(each) for each in found], chosen_style(args.json)))
        return
    for each in found:
        show(_as_text(each))


def _as_json(found: Found) -> dict[str, Any]:
    file, severity, fault = found
    value: dict[str, Any] = {
        "file": file,
        "line": fault.line,
        "column": fault.column,
        "severity": severity,
        "message": fault.message,
        "hint": fault.hint or None,
    }
    if isinstance(fault, Finding):
        value["rule"] = fault.rule
        value["peers"] = sorted(peer.value for peer in fault.peers)
    return value


def _as_text(found: Found) -> str:
    file, severity, fault = found
    # The form that editors and CI know from compilers.
    place = painted(f"{legible(file)}:{fault.line}:{fault.column}:", "bold")
    rule = f" [{fault.rule}]" if isinstance(fault, Finding) else ""
    line, _, caret = fault.excerpt().rpartition("\n")
    hint = f"\n    {legible(fault.hint)}" if fault.hint else ""
    head = f"{place} {painted(severity, _PAINTS[severity])}: {legible(fault.message)}{rule}"
    return f"{head}\n{line}\n{painted(caret, 'green')}{hint}"
