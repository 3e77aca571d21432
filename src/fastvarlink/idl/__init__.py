"""Interface definitions: read, checked, printed, compared, and turned from and into Python's types."""

from fastvarlink.idl.compare import Change, Impact, compare
from fastvarlink.idl.faults import Fault, IdlSyntaxError
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
    "lint",
    "parse",
    "to_text",
]
