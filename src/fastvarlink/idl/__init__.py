"""Interface definitions: reading them, and the syntax tree that comes of it."""

from fastvarlink.idl.interface import Interface
from fastvarlink.idl.parser import IdlSyntaxError, parse
from fastvarlink.idl.scanner import Scanner

__all__ = ["IdlSyntaxError", "Interface", "Scanner", "parse"]
