"""Interface definitions: read, checked, printed, compared, and turned from and into Python's types."""

from fastvarlink.idl.faults import Fault, IdlSyntaxError
from fastvarlink.idl.interface import Interface
from fastvarlink.idl.linter import Finding, lint
from fastvarlink.idl.parser import parse
from fastvarlink.idl.peers import Peer
from fastvarlink.idl.printer import to_text
from fastvarlink.idl.scanner import Scanner

__all__ = ["Fault", "Finding", "IdlSyntaxError", "Interface", "Peer", "Scanner", "lint", "parse", "to_text"]
