"""Interface definitions: read, checked, printed, compared, and turned from and into Python's types.

The tools are imported when they are first asked for: programs that only call and serve do without them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastvarlink.idl.comparison import Change, Impact, compare
    from fastvarlink.idl.faults import Fault, IdlSyntaxError
    from fastvarlink.idl.generation import generate
    from fastvarlink.idl.interface import Interface
    from fastvarlink.idl.linter import Finding, lint
    from fastvarlink.idl.parser import parse
    from fastvarlink.idl.peers import Peer
    from fastvarlink.idl.printer import to_text
    from fastvarlink.idl.scanner import Scanner

__all__ = [
    "Change",
    "Fault",
    "Finding",
    "IdlSyntaxError",
    "Impact",
    "Interface",
    "Peer",
    "Scanner",
    "compare",
    "generate",
    "lint",
    "parse",
    "to_text",
]

_MODULES = {
    "Change": "comparison",
    "Fault": "faults",
    "Finding": "linter",
    "IdlSyntaxError": "faults",
    "Impact": "comparison",
    "Interface": "interface",
    "Peer": "peers",
    "Scanner": "scanner",
    "compare": "comparison",
    "generate": "generation",
    "lint": "linter",
    "parse": "parser",
    "to_text": "printer",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    return value
