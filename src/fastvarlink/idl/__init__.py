"""Interface definitions: read, checked, printed, compared, and turned from and into Python's types.

The tools are imported when they are first asked for: programs that only call and serve do without them.
"""

from fastvarlink.deferred import deferred

TYPE_CHECKING = False
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

_HOMES = {
    "Change": "fastvarlink.idl.comparison",
    "Fault": "fastvarlink.idl.faults",
    "Finding": "fastvarlink.idl.linter",
    "IdlSyntaxError": "fastvarlink.idl.faults",
    "Impact": "fastvarlink.idl.comparison",
    "Interface": "fastvarlink.idl.interface",
    "Peer": "fastvarlink.idl.peers",
    "Scanner": "fastvarlink.idl.scanner",
    "compare": "fastvarlink.idl.comparison",
    "generate": "fastvarlink.idl.generation",
    "lint": "fastvarlink.idl.linter",
    "parse": "fastvarlink.idl.parser",
    "to_text": "fastvarlink.idl.printer",
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = deferred(__name__, _HOMES)
