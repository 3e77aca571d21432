"""What ``import varlink.scanner`` offers: Interface, Scanner, and the classes of its nodes."""

from fastvarlink.error import InvalidParameter, MethodNotFound
from fastvarlink.idl.interface import Interface
from fastvarlink.idl.scanner import (
    Scanner,
    _Alias,
    _Array,
    _CustomType,
    _Dict,
    _Enum,
    _Error,
    _Maybe,
    _Method,
    _Object,
    _Struct,
)

__all__ = [
    "Interface",
    "InvalidParameter",
    "MethodNotFound",
    "Scanner",
    "_Alias",
    "_Array",
    "_CustomType",
    "_Dict",
    "_Enum",
    "_Error",
    "_Maybe",
    "_Method",
    "_Object",
    "_Struct",
]
