"""Python modules from interface definitions: types, errors, typed clients, and the base of a service."""

from fastvarlink.idl.generation.module import generate, is_generated

__all__ = ["generate", "is_generated"]
